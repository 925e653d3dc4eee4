import csv
import json
from contextlib import contextmanager
from dataclasses import replace

import pytest

import pipeline.trials.ablations as ablations
from pipeline.dataset.manifest import Manifest
from pipeline.errors import AtlasError
from pipeline.network.architectures import parameter_count
from pipeline.trials.ablations import ABLATIONS, Result, ablate, write_summary, write_table
from pipeline.trials.trial import scratch_task
from pipeline.workspace import Workspace
from tests.pipeline.training.tiny import CONFIG, EVEN, make_workspace

BY_NAME = {ablation.name: ablation for ablation in ABLATIONS}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return make_workspace(tmp_path_factory.mktemp("run"), width=EVEN, epochs=1)


@contextmanager
def no_bar(task, title):
    yield lambda position: None


def layers(task, name: str) -> dict[str, int]:
    graph = BY_NAME[name].task(task).graph()
    return {layer: graph.layer(layer).channels for layer in graph.layers}


def test_the_networks_are_those_of_table_3(root):
    """At width 1: channels by layer, from paper.md, sections 1, 4 and 5."""
    task = scratch_task(Workspace(root))
    wide = task.params.own_model.model_copy(update={"width": 1.0})
    task = replace(task, params=task.params.model_copy(update={"model": wide}))
    low = {"conv1": 96, "conv2": 256}
    conv = low | {"conv3": 384, "conv4": 384, "conv5": 256}
    wider = low | {"conv3": 512, "conv4": 1024, "conv5": 512}
    full = {"fc6": 4096, "fc7": 4096}
    assert {name: layers(task, name) for name in BY_NAME} == {
        "zfnet": conv | full | {"fc8": 3},
        "zfnet-fc2048": conv | {"fc6": 2048, "fc7": 2048, "fc8": 3},
        "zfnet-fc8192": conv | {"fc6": 8192, "fc7": 8192, "fc8": 3},
        "zfnet-wider": wider | full | {"fc8": 3},
        "zfnet-wider-fc8192": wider | {"fc6": 8192, "fc7": 8192, "fc8": 3},
        "alexnet": conv | full | {"fc8": 3},
        "alexnet-no34": low | {"conv5": 256} | full | {"fc8": 3},
        "alexnet-no7": conv | {"fc6": 4096, "fc8": 3},
        "alexnet-no67": conv | {"fc8": 3},
        "alexnet-no3467": low | {"conv5": 256, "fc8": 3},
    }


def test_each_is_trained_and_measured_once_and_images_are_decoded_once(root, tmp_path, monkeypatch):
    two = [BY_NAME["alexnet-no67"], BY_NAME["zfnet"]]
    monkeypatch.setattr(ablations, "ABLATIONS", two)
    task = scratch_task(Workspace(root))
    first = next(ablate(task, CONFIG, tmp_path, no_bar))
    decoded = (tmp_path / "pixels" / "train.npy").stat().st_mtime_ns
    monkeypatch.setattr(ablations, "trained", _only("zfnet", ablations.trained))
    again, second = ablate(task, CONFIG, tmp_path, no_bar)
    assert again == first
    assert (tmp_path / "pixels" / "train.npy").stat().st_mtime_ns == decoded
    for result, ablation in zip((first, second), two, strict=True):
        assert result.ablation == ablation
        numbers = dict(result.numbers)
        assert numbers.pop("parameters") == parameter_count(ablation.task(task).graph())
        assert numbers["val_top5_error"] == 0  # of three classes
        assert all(0 <= error <= 1 for error in numbers.values())


def _only(arch, trained):
    """The training, which refuses any other architecture."""

    def checked(task, config, folder, watch):
        assert task.params.own_model.arch == arch
        return trained(task, config, folder, watch)

    return checked


def test_without_validation_images_nothing_is_trained(root, tmp_path):
    task = scratch_task(Workspace(root))
    bare = replace(task, manifest=Manifest(task.manifest.split("train")))
    with pytest.raises(AtlasError, match="no validation image"):
        next(ablate(bare, CONFIG, tmp_path, no_bar))


def test_the_table_has_the_papers_errors_beside_ours(tmp_path):
    numbers = {
        "parameters": 1000,
        "train_top1_error": 0.1,
        "train_top5_error": 0.0,
        "val_top1_error": 0.25,
        "val_top5_error": 0.125,
    }
    results = [Result(BY_NAME["zfnet-fc2048"], numbers), Result(BY_NAME["alexnet"], numbers)]
    write_table(tmp_path / "t.csv", results)
    write_summary(tmp_path / "t.json", results)
    with (tmp_path / "t.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["network"] for row in rows] == ["zfnet-fc2048", "alexnet"]
    assert (rows[0]["val_top1_error"], rows[0]["paper_val_top1_error"]) == ("0.25", "0.402")
    assert rows[1]["paper_train_top1_error"] == ""
    summary = json.loads((tmp_path / "t.json").read_text())
    assert summary["alexnet"]["paper"] == {"val_top1_error": 0.405, "val_top5_error": 0.181}
    assert summary["zfnet-fc2048"]["parameters"] == 1000
