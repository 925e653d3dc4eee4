"""The rehearsal of `python -m benchmarks.gpu` on a processor: every row, at a tiny size."""

import re
import shutil
from functools import partial

import pytest
import torch
from click.testing import CliRunner

from benchmarks import gpu
from benchmarks.compared import Amount, Compared
from benchmarks.gpu import main
from benchmarks.world import make_world

CPU = torch.device("cpu")
AGREEMENT = r"the same nine in the same order for (\S+) of (\S+) channels, .* cells for (\S+);"


@pytest.mark.slow
def test_the_rehearsal_measures_every_stage_and_agrees_with_itself():
    result = CliRunner().invoke(main, ["--cpu"])
    assert result.exit_code == 0, result.output
    table = [line.strip("| ").split(" | ") for line in result.stdout.splitlines() if "|" in line]
    what = [row[0] for row in table[2:]]
    for stage in ("matrix product", "training, inputs ready", "training, from decoded pixels"):
        assert what.count(stage) == 2
    gradients = [row for row in table if row[0] == "training, inputs ready"]
    for row in gradients:
        assert float(row[3]) > 0
        differ = float(re.search(r"differ by at most (\S+)", row[5])[1])
        # Of 8 bits, through eight layers of small signals; ReLUs near zero fall otherwise.
        assert differ < (1e-5 if "float32" in row[1] or "in float32" in row[5] else 0.3)
    for arch in ("zfnet", "torchvision:resnet18"):
        beside = {row[0]: row[-1] for row in table if row[1:2] == [arch]}
        assert len(beside) == 5
        for stage in ("scan, files to records", "scan, 16 images a batch, 400 MiB free"):
            channels, same, placed = re.match(AGREEMENT, beside[stage]).group(2, 1, 3)
            assert channels == same == placed


def test_another_networks_results_are_not_called_the_same(tmp_path):
    make = partial(make_world, width=0.125, side=96, photos=16)
    compared = Compared(make(tmp_path / "world"), CPU, Amount(16, 16, 8, 10))
    same = compared._scan().beside
    shutil.rmtree(tmp_path / "world" / "model")
    make(tmp_path / "other", seed=1)
    shutil.copytree(tmp_path / "other" / "model", tmp_path / "world" / "model")
    other = compared._scan().beside
    assert len(set(re.match(AGREEMENT, same).groups())) == 1
    assert int(re.match(AGREEMENT, other)[1]) < 10


def test_rows_that_would_be_begun_too_late_are_left_out(monkeypatch):
    hours = iter(range(100))
    monkeypatch.setattr(gpu.time, "perf_counter", lambda: next(hours) * 3600)
    rows = [(str(row), "", "", "", "", "") for row in range(10)]
    *begun, last = gpu.within(2.5 * 3600, iter(rows))
    assert begun == rows[:3]
    assert last[0] == "left out: all after this, 150 minutes are over"


def test_without_a_card_it_says_so(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    result = CliRunner().invoke(main)
    assert result.exit_code == 1
    assert "--cpu" in result.stderr
