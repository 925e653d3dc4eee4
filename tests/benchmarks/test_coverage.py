"""`python -m benchmarks.coverage`: one row for real, and rows that older code found."""

import json

import pytest
import torch
from click.testing import CliRunner
from torch import nn
from torchvision import models

from benchmarks import coverage
from benchmarks.coverage import Outcome, code_sha256, keep, main, read_kept

NAME = "torchvision:squeezenet1_1"
STALE = Outcome(NAME, ("yes", "1", "1", "0e+00", "0e+00", "guided"), read=True)


@pytest.mark.slow
def test_a_row_of_older_code_is_found_again(tmp_path):
    kept = tmp_path / "coverage.jsonl"
    keep(kept, STALE, "of older code")
    kept.write_text(kept.read_text() + json.dumps({"arch": NAME, "cells": [], "read": True}) + "\n")
    result = CliRunner().invoke(main, ["--only", NAME, "--kept", str(kept)])
    assert result.exit_code == 0, result.output
    row = result.stdout.splitlines()[-2].strip("| ").split(" | ")
    module = models.squeezenet1_1()
    convs = sum(isinstance(part, nn.Conv2d) for part in module.modules())
    fires = sum(isinstance(part, models.squeezenet.Fire) for part in module.modules())
    # A layer per convolution and concatenation; a cut for each that is not in a branch.
    assert row[:4] == [NAME, "yes", str(convs + fires), str(convs - 2 * fires + fires)]
    assert max(float(row[4]), float(row[5])) <= 1e-6
    assert row[6] == "deconvnet"
    assert read_kept(kept, code_sha256())[NAME].cells == tuple(row[1:])


def test_a_row_of_the_present_code_is_not_found_again(tmp_path, monkeypatch):
    monkeypatch.setattr(coverage, "outcome", lambda arch: pytest.fail(f"{arch} was read"))
    kept = tmp_path / "coverage.jsonl"
    keep(kept, STALE, code_sha256())
    result = CliRunner().invoke(main, ["--only", NAME, "--kept", str(kept)])
    assert "Of 1 networks of torchvision 1 are read." in result.stdout
    assert f"| {NAME} | yes | 1 | 1 |" in result.stdout


def test_the_key_of_a_row_changes_with_the_code_and_the_packages(tmp_path, monkeypatch):
    monkeypatch.setattr(coverage, "ROOT", tmp_path)
    monkeypatch.setattr(coverage, "CODE", ("pipeline/adopt", "one.py"))
    (tmp_path / "pipeline" / "adopt" / "rules").mkdir(parents=True)
    rule, one = tmp_path / "pipeline" / "adopt" / "rules" / "new.py", tmp_path / "one.py"
    one.write_text("1")
    keys = [code_sha256()]
    for path, text in ((rule, "x"), (rule, "y"), (one, "2")):
        path.write_text(text)
        keys.append(code_sha256())
    monkeypatch.setattr(coverage.metadata, "version", lambda _: torch.__version__ + "1")
    keys.append(code_sha256())
    assert len(set(keys)) == 5
