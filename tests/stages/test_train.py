import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file

from pipeline.network.model import load_model
from pipeline.storage.hashing import sha256_of
from pipeline.training.checkpoint import FILE
from stages.cli import main
from tests.aimed import Aim
from tests.forked import Forked
from tests.pipeline.training.tiny import make_workspace, write_params
from tests.stages.commands import atlas

pytestmark = pytest.mark.slow

TORCHRUN = [
    *(sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"),
    *(str(Path(sys.executable).with_name("atlas")), "train"),
]
OFTEN = ("--checkpoint-s", "0")
STEPS = 6
"""Of a training of two epochs: 21 images in batches of 8."""
MOMENT = 10
"""Of them: the third checkpoint, after pixels, checksums, the mean and the start."""
ONE_THREAD = {**os.environ, "OMP_NUM_THREADS": "1", "ATLAS_WORKERS": "0", "ATLAS_DEVICE": "cpu"}


def weights_sha(root: Path) -> str:
    return sha256_of(root / "artifacts" / "model" / "weights.safetensors")


def test_it_leaves_a_model_that_loads_a_history_and_a_report(tmp_path):
    root = make_workspace(tmp_path)
    atlas(root, "train")
    model = load_model(root / "artifacts" / "model")
    assert model.card.epochs_trained == 2
    assert model.card.classes == ("blue", "green", "red")
    assert model.card.mean == "input_mean"
    assert model.normalisation.mean.shape == (3, 64, 64)
    assert model.card.manifest_sha256 == sha256_of(root / "artifacts" / "manifest.csv")
    snapshot = load_file(root / "artifacts" / "model" / "snapshots" / "epoch_001.safetensors")
    assert snapshot.keys() == {*model.network.state_dict(), "input_mean"}
    start = load_model(root / "artifacts" / "model", snapshot=0)
    assert start.card.epochs_trained == 0
    assert torch.equal(start.normalisation.mean, model.normalisation.mean)
    assert not torch.equal(start.network.conv2.weight, model.network.conv2.weight)
    filters = load_file(root / "artifacts" / "model" / "filters.safetensors")
    assert filters.keys() == {"epoch_001", "epoch_002"}
    with (root / "reports" / "train_history.csv").open() as file:
        assert [line["epoch"] for line in csv.DictReader(file)] == ["1", "2"]
    report = json.loads((root / "reports" / "train.json").read_text())
    assert (report["epochs_trained"], report["stopped_early"]) == (2, False)
    now, then = (found.network.conv2.weight.flatten(1) for found in (model, start))
    cosines = torch.cosine_similarity(now, then).abs()
    assert report["start_cosine_conv2"] == pytest.approx(cosines.median().item())
    spread = report["start_cosine"]["conv2"]
    assert spread["median"] == pytest.approx(cosines.median().item())
    assert sum(spread["histogram"]) == len(cosines)
    assert not list((root / ".state" / "train").glob("*/*"))


def test_one_mean_per_colour_stands_on_the_card(tmp_path):
    root = make_workspace(tmp_path, mean="channel", epochs=0, snapshots=[])
    atlas(root, "train")
    card = load_model(root / "artifacts" / "model").card
    assert all(50 < colour < 150 for colour in card.mean)
    start = load_model(root / "artifacts" / "model", snapshot=0)
    assert start.card.mean == card.mean
    assert start.card.weights_sha256 != card.weights_sha256


def started(root: Path, *words: str) -> Forked:
    return Forked("train", "-w", str(root), *words, log=root / "log.txt")


def under_torchrun(root: Path) -> int:
    with (root / "log.txt").open("w") as log:
        return subprocess.run(
            [*TORCHRUN, "-w", str(root)],
            env=ONE_THREAD,
            cwd=Path(__file__).parents[2],
            stderr=log,
            timeout=200,
            check=False,
        ).returncode


def log_of(root: Path) -> str:
    """What the last process said."""
    return (root / "log.txt").read_text()


def checkpointed(root: Path, process: Forked) -> None:
    """Wait until a training has written its first checkpoint."""
    deadline = time.monotonic() + 120
    while not list((root / ".state" / "train").glob(f"*/{FILE}")):
        assert process.poll() is None, log_of(root)
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def long_training(tmp_path: Path) -> Iterator[tuple[Path, Forked]]:
    """A training of many epochs that has written a checkpoint."""
    root = make_workspace(tmp_path, epochs=10_000, snapshots=[])
    process = started(root, "--checkpoint-s", "0")
    checkpointed(root, process)
    yield root, process
    process.kill()
    process.wait()


@pytest.mark.parametrize("before", [False, True])
def test_killed_for_real_and_repeated_it_resumes_and_ends_in_the_same_bits(tmp_path, before):
    """Killed as one checkpoint replaces the last, which is kept or is not."""
    whole = make_workspace(tmp_path / "whole")
    broken = make_workspace(tmp_path / "broken")
    aim = Aim(tmp_path / "moments", MOMENT, signal.SIGKILL, before=before)
    process = Forked("train", "-w", str(broken), *OFTEN, log=broken / "log.txt", before=aim)
    assert process.wait(timeout=120) == -signal.SIGKILL, log_of(broken)
    names = aim.moments.read_text().split()
    kept = names.count(FILE) - before
    assert 0 < kept < STEPS, names
    for root in (whole, broken):
        assert started(root).wait(timeout=120) == 0, log_of(root)
    # A checkpoint is written in a step, before its update: the n-th after n - 1 steps.
    epochs, steps = divmod(kept - 1, STEPS // 2)
    assert f"Resuming after {epochs} epochs and {steps} steps." in log_of(broken)
    assert "Resuming" not in log_of(whole)
    assert weights_sha(whole) == weights_sha(broken)
    for name in ("train.json", "train_history.csv"):
        assert (whole / "reports" / name).read_bytes() == (broken / "reports" / name).read_bytes()


def test_a_running_training_can_be_asked_to_finish_and_leaves_a_usable_model(long_training):
    root, process = long_training
    assert "will stop after the current step" in atlas(root, "train", "--finish")
    assert process.wait(timeout=120) == 0, log_of(root)
    card = load_model(root / "artifacts" / "model").card
    report = json.loads((root / "reports" / "train.json").read_text())
    assert report["stopped_early"] is True
    assert card.epochs_trained == report["epochs_trained"] < 10_000


def test_an_interrupted_training_can_be_finished_afterwards(long_training):
    root, process = long_training
    process.kill()
    process.wait()
    atlas(root, "train", "--finish")
    assert load_model(root / "artifacts" / "model").card.epochs_trained < 10_000


def test_there_must_be_something_to_finish(tmp_path):
    root = make_workspace(tmp_path)
    result = CliRunner().invoke(main, ["train", "--finish", "-w", str(root)])
    assert result.exit_code == 1
    assert "no training run to finish" in result.output


WILD = {"learning_rate": 1e6, "filter_rms_cap": None, "warmup_epochs": 0.0}


def test_a_diverging_training_says_where_and_what_it_was_before_can_be_kept(tmp_path):
    root = make_workspace(tmp_path, **WILD)
    result = CliRunner().invoke(main, ["train", "--checkpoint-s", "0", "-w", str(root)])
    assert result.exit_code == 1
    assert "diverged: the loss is" in result.output
    assert "in epoch 1, step 2" in result.output
    assert not (root / "artifacts").joinpath("model").exists()
    assert not (root / "reports" / "train.json").exists()
    write_params(root, learning_rate=0.01)
    refused = CliRunner().invoke(main, ["train", "--finish", "-w", str(root)])
    assert refused.exit_code == 1
    assert "belongs to a different training run" in refused.output
    write_params(root, **WILD)
    atlas(root, "train", "--finish")
    kept = load_file(root / "artifacts" / "model" / "weights.safetensors")
    assert all(tensor.abs().max() < 200 for tensor in kept.values())


def test_two_processes_leave_one_model_whoever_starts_them(tmp_path):
    own = make_workspace(tmp_path / "own", epochs=1)
    assert started(own, "--workers", "2").wait(timeout=200) == 0, log_of(own)
    users = make_workspace(tmp_path / "users", epochs=1)
    assert under_torchrun(users) == 0, log_of(users)
    for root in (own, users):
        assert load_model(root / "artifacts" / "model").card.epochs_trained == 1
    assert weights_sha(own) == weights_sha(users)


def test_ctrl_c_stops_a_group_in_one_line(tmp_path):
    root = make_workspace(tmp_path, epochs=10_000, snapshots=[])
    process = started(root, "--workers", "2", "--checkpoint-s", "0")
    checkpointed(root, process)
    os.killpg(process.pid, signal.SIGINT)  # a terminal sends it to every process
    assert process.wait(timeout=60) == 130
    assert "Stopped; run again to resume." in log_of(root)
    assert "Traceback" not in log_of(root)


def test_a_start_that_the_training_would_replace_is_refused(tmp_path):
    root = make_workspace(tmp_path, init_from="artifacts/model/weights.safetensors")
    result = CliRunner().invoke(main, ["train", "-w", str(root)])
    assert result.exit_code == 1
    assert "which this training will replace" in result.output
