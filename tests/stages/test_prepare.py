"""`atlas prepare` as a user runs it."""

import csv
import hashlib
import json

import pytest
from click.testing import CliRunner

from stages.prepare import main
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


def test_a_failure_while_writing_publishes_nothing(workspace, monkeypatch):
    def fail(*_):
        raise ZeroDivisionError

    monkeypatch.setattr("stages.prepare.report", fail)
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
