"""`atlas prepare` as a user runs it."""

import csv
import hashlib
import json
import os
import signal
import subprocess
import sys

import pytest
from click.testing import CliRunner

from stages.prepare import main
from tests.imports import ROOT
from tests.workspaces import write_params, write_photos

OUTS = ("artifacts/manifest.csv", "artifacts/rejected.csv", "reports/prepare.json")


@pytest.fixture
def workspace(tmp_path):
    write_photos(tmp_path / "photos", {"cat": (6, 5), "dog": (5, 6)})
    write_params(tmp_path)
    return tmp_path


def run(workspace):
    return CliRunner().invoke(main, ["--workspace", str(workspace)])


def outs(workspace):
    return {out: (workspace / out).read_bytes() for out in OUTS if (workspace / out).exists()}


def table(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_it_writes_the_three_outs_and_a_summary(workspace):
    (workspace / "photos/train/cat/notes.txt").write_text("text")
    result = run(workspace)
    assert result.exit_code == 0, result.output
    assert "11 training and 11 validation images of 2 classes; 0 rejected, 1 stray" in result.output
    manifest = table(workspace / OUTS[0])
    assert len(manifest) == 22
    assert all((workspace / "photos" / row["path"]).is_file() for row in manifest)
    assert [row["path"] for row in table(workspace / OUTS[1])] == ["train/cat/notes.txt"]
    report = json.loads((workspace / OUTS[2]).read_text())
    digest = hashlib.sha256((workspace / OUTS[0]).read_bytes()).hexdigest()
    assert report["manifest_sha256"] == digest


def test_a_second_run_writes_equal_bytes(workspace):
    run(workspace)
    first = outs(workspace)
    run(workspace)
    assert outs(workspace) == first
    assert set(first) == set(OUTS)


def test_a_run_that_fails_leaves_what_was_there_and_nothing_half_written(workspace):
    run(workspace)
    first = outs(workspace)
    for path in (workspace / "photos/train/cat").iterdir():
        path.write_bytes(b"<html>")
    result = run(workspace)
    assert result.exit_code == 1
    assert result.output.splitlines()[-1].startswith("Error: 6 of 22 image files cannot be used")
    assert outs(workspace) == first
    names = {path.name for out in OUTS for path in (workspace / out).parent.iterdir()}
    assert names == {"manifest.csv", "rejected.csv", "prepare.json"}


KILLED = """
import os, signal, sys
from pipeline.sources import known, prepare
from stages.prepare import main

def decoded(work, refuse, jobs, count, start):
    for number, job in enumerate(jobs):
        if number == int(os.environ["KILL_AFTER"]):
            os.kill(os.getpid(), signal.SIGKILL)
        yield job, work(job)

known.COMMIT_EVERY = 5
prepare.decoded = decoded
main()
"""
"""`atlas prepare` that keeps every five outcomes, and is killed after so many."""


@pytest.mark.parametrize(("done", "kept"), [(13, 10), (21, 20)])
def test_a_killed_run_is_taken_up_and_added_files_alone_are_decoded(
    workspace, monkeypatch, done, kept
):
    command = [sys.executable, "-c", KILLED, "-w", str(workspace)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "KILL_AFTER": str(done)}
    killed = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert outs(workspace) == {}
    jobs = []

    def decoded(work, refuse, given, count, start):
        for job in given:
            jobs.append(job.path)
            yield job, work(job)

    monkeypatch.setattr("pipeline.sources.prepare.decoded", decoded)
    assert run(workspace).exit_code == 0
    assert len(jobs) == 22 - kept
    assert outs(workspace) == outs_from_the_start(workspace, "first")
    write_photos(workspace / "more", {"cat": (2, 1)})
    for split in ("train", "val"):
        for path in (workspace / "more" / split / "cat").iterdir():
            path.rename(workspace / "photos" / split / "cat" / f"more {path.name}")
    jobs.clear()
    assert run(workspace).exit_code == 0
    assert sorted(jobs) == [
        "train/cat/more photo 0.jpg",
        "train/cat/more photo 1.jpg",
        "val/cat/more photo 0.jpg",
    ]
    assert outs(workspace) == outs_from_the_start(workspace, "second")


def outs_from_the_start(workspace, name):
    """The outs of a workspace that knows nothing yet, of the same photographs."""
    (workspace / name).mkdir()
    write_params(workspace / name, {"data": {"root": str(workspace / "photos")}})
    assert run(workspace / name).exit_code == 0
    return outs(workspace / name)


@pytest.mark.slow
def test_names_are_utf_8_whatever_the_locale(workspace):
    """Of the root, whose name comes from params.yaml, and of the files, whose names are listed."""
    (workspace / "photos").rename(workspace / "fotografías")
    (workspace / "fotografías/train/dog").rename(workspace / "fotografías/train/crème")
    (workspace / "fotografías/val/dog").rename(workspace / "fotografías/val/crème")
    write_params(workspace, {"data": {"root": "fotografías"}})
    command = [sys.executable, "-c", "from stages.prepare import main; main()", "-w", workspace]
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    environment = os.environ | locale | {"PYTHONPATH": str(ROOT)}
    result = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert result.returncode == 0, result.stderr
    assert {row["label"] for row in table(workspace / OUTS[0])} == {"cat", "crème"}
    first = outs(workspace)
    assert run(workspace).exit_code == 0
    assert outs(workspace) == first


def test_a_failure_while_writing_publishes_nothing(workspace, monkeypatch):
    def fail(*_):
        raise ZeroDivisionError

    monkeypatch.setattr("stages.prepare.prepare_report", fail)
    result = run(workspace)
    assert isinstance(result.exception, ZeroDivisionError)
    assert outs(workspace) == {}
    assert [path for path in (workspace / "artifacts").iterdir()] == []


def test_a_missing_root_is_one_line_that_names_the_parameter(workspace):
    write_params(workspace, {"data": {"root": "nowhere"}})
    result = run(workspace)
    assert result.exit_code == 1
    assert "Set data.root" in result.output.splitlines()[-1]
    assert "Traceback" not in result.output
