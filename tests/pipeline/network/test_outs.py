from pathlib import Path

import pytest
import torch

from pipeline.errors import AtlasError
from pipeline.network.card import ModelCard, load_card
from pipeline.network.model import save_model
from pipeline.network.outs import publish_network
from pipeline.storage.reports import check_table, read_report
from pipeline.storage.training_report import TrainingReport
from pipeline.workspace import Workspace

REPORT = TrainingReport(epochs_trained=0, stopped_early=False, parameters=1, channels={})


def write_model(folder: Path, value: float = 1.0) -> ModelCard:
    folder.mkdir()
    card = ModelCard(
        arch="zfnet",
        classes=("a", "b"),
        resize=72,
        crop=64,
        mean=(10.0, 20.0, 30.0),
        scale=0.5,
        seed=0,
        epochs_trained=0,
        weights_sha256="",
        manifest_sha256="m",
    )
    return save_model(folder, card, {"w": torch.tensor([value])})


def files(workspace: Workspace) -> list[str]:
    """All that is in the workspace's folder, hidden files too."""
    found = (path for path in workspace.root.rglob("*") if path.is_file())
    return sorted(str(path.relative_to(workspace.root)) for path in found)


def test_history_and_report_are_bound_to_the_model(tmp_path):
    workspace = Workspace(tmp_path)
    publish_network(workspace, write_model, (), REPORT)
    card, path = load_card(workspace.model), workspace.report("train.json")
    assert read_report(path, TrainingReport, card.trained_from) == REPORT
    check_table(workspace.report("train_history.csv"), path, "train", card.trained_from)
    assert files(workspace) == [
        "artifacts/model/model.json",
        "artifacts/model/weights.safetensors",
        "reports/train.json",
        "reports/train_history.csv",
    ]


def test_a_model_that_fails_leaves_all_as_it_was(tmp_path):
    def fails(folder: Path) -> ModelCard:
        write_model(folder, 2.0)
        raise AtlasError("No.", fix="Nothing.")

    workspace = Workspace(tmp_path)
    publish_network(workspace, write_model, (), REPORT)
    before = {name: (tmp_path / name).read_bytes() for name in files(workspace)}
    with pytest.raises(AtlasError, match="No"):
        publish_network(workspace, fails, (), REPORT)
    assert {name: (tmp_path / name).read_bytes() for name in files(workspace)} == before


def test_a_report_that_cannot_be_written_keeps_the_old_model(tmp_path):
    workspace = Workspace(tmp_path)
    publish_network(workspace, write_model, (), REPORT)
    weights = workspace.model / "weights.safetensors"
    before = weights.read_bytes()
    workspace.report("train.json").unlink()
    workspace.report("train.json").symlink_to("train.json")  # a link to itself
    with pytest.raises(AtlasError, match="link to itself"):
        publish_network(workspace, lambda folder: write_model(folder, 2.0), (), REPORT)
    assert weights.read_bytes() == before
    assert not list(workspace.model.parent.glob(".*"))
