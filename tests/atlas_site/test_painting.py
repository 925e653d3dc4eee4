import os
from pathlib import Path

import pytest

from atlas_site.painting import JOBS_EACH, paint
from atlas_site.picture_jobs import ChannelsJob
from pipeline.atlas import Run
from pipeline.workspace import Workspace
from tests.atlas_site.synthetic_run import Plan, write_run


class NoteJob(ChannelsJob):
    """A job that notes which process did it."""

    def paint(self, atlas: Run, out: Path) -> int:
        (out / f"{self.sheet}.txt").write_text(str(os.getpid()))
        return self.sheet


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Workspace:
    return write_run(tmp_path_factory.mktemp("run") / "run", Plan(layers=("conv1",)))


def done_by(run: Workspace, out: Path, jobs: int, workers: int | None) -> tuple[set[int], int]:
    """The processes that did so many jobs, and the sum of what was reported as done."""
    out.mkdir()
    done: list[int] = []
    notes = [NoteJob("conv1", "conv1", number) for number in range(jobs)]
    paint(notes, run.artifacts, out, workers, done.append)
    return {int(path.read_text()) for path in out.glob("*.txt")}, sum(done)


def test_every_job_is_done_once_and_reported(run, tmp_path):
    processes, done = done_by(run, tmp_path / "out", 5, workers=1)
    assert processes == {os.getpid()}
    assert done == 0 + 1 + 2 + 3 + 4
    assert len(list((tmp_path / "out").glob("*.txt"))) == 5


def test_what_takes_less_than_a_start_is_done_here(run, tmp_path, monkeypatch):
    monkeypatch.setattr("atlas_site.painting.cores", lambda: 2)
    processes, _ = done_by(run, tmp_path / "out", JOBS_EACH + 1, workers=None)
    assert processes == {os.getpid()}


def test_processes_share_what_takes_longer(run, tmp_path):
    processes, done = done_by(run, tmp_path / "out", 6, workers=2)
    assert os.getpid() not in processes
    assert done == 15
