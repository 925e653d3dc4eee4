from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from pipeline.atlas import open_atlas
from stages.run import ORDER
from stages.run import main as run
from tests.forked import Forked
from tests.imports import ROOT
from tests.stages.processes import wait_for
from tests.workspaces import write_params, write_photos


def test_the_order_is_that_of_dvc():
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    assert tuple(stages) == ORDER


@pytest.mark.slow
def test_one_command_makes_an_atlas_without_dvc(tmp_path: Path):
    # With fewer validation images than scan.top, every channel lacks entries.
    write_photos(tmp_path / "photos", {"ant": (6, 1), "bee": (6, 2)})
    write_params(tmp_path)
    result = CliRunner().invoke(run, ["-w", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "site" / "index.html").is_file()
    assert open_atlas(tmp_path / "artifacts").top("conv1", 0)[0].activation > 0


def test_of_two_runs_at_once_the_second_says_so_and_stops(tmp_path: Path):
    write_photos(tmp_path / "photos", {"ant": (6, 1), "bee": (6, 2)})
    write_params(tmp_path, {"train": {"epochs": 10_000, "snapshots": []}})
    first = Forked("run", "-w", str(tmp_path), log=tmp_path / "log")
    try:
        wait_for(lambda: (tmp_path / "artifacts" / "manifest.csv").exists())
        result = CliRunner().invoke(run, ["-w", str(tmp_path)])
        assert first.poll() is None
    finally:
        first.kill()
        first.wait()
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: Another process is running this stage")
    assert len(result.stderr.splitlines()) == 1


def test_a_stage_that_fails_ends_the_run_with_its_own_error(tmp_path: Path):
    write_params(tmp_path)
    result = CliRunner().invoke(run, ["-w", str(tmp_path)])
    assert result.exit_code == 1
    assert "Error:" in result.output
    assert "Stage 2" not in result.output
