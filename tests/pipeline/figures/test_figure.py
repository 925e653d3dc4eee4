"""A figure's work: each job once, its result kept for an equal job alone."""

from dataclasses import dataclass

import numpy as np
import pytest

from pipeline.atlas import Run
from pipeline.figures.figure import Figure, Work
from pipeline.figures.registry import FIGURES
from pipeline.workspace import Workspace
from tests.figure_making import Here


@dataclass(frozen=True)
class Job:
    value: int


def doubled(job, device):
    return {"double": np.array([2 * job.value])}


def failing(job, device):
    if job.value == 2:
        raise KeyboardInterrupt
    return doubled(job, device)


def work(folder, pool, steps):
    run = Run(Workspace(folder), folder / "artifacts")
    return Work(run, pool, folder, steps.append)


JOBS = {"b/1": Job(1), "a": Job(2), "c": Job(3)}


def test_results_come_by_name_in_the_order_of_the_jobs(tmp_path):
    steps = []
    found = work(tmp_path, Here(), steps).each(doubled, JOBS)
    assert [(name, int(arrays["double"][0])) for name, arrays in found.items()] == [
        ("b/1", 2),
        ("a", 4),
        ("c", 6),
    ]
    assert steps == [0, 1, 1, 1]


def test_what_an_interrupted_run_finished_is_not_done_again(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        work(tmp_path, Here(), []).each(failing, JOBS)
    pool, steps = Here(), []
    found = work(tmp_path, pool, steps).each(doubled, JOBS)
    assert pool.done == ["a", "c"]
    assert steps == [1, 1, 1]
    assert found["b/1"]["double"].tolist() == [2]


def test_another_job_of_the_name_and_a_damaged_result_are_done_again(tmp_path):
    work(tmp_path, Here(), []).each(doubled, JOBS)
    (kept,) = tmp_path.glob("c.*")
    kept.write_bytes(kept.read_bytes()[:-1])
    pool = Here()
    found = work(tmp_path, pool, []).each(doubled, JOBS | {"a": Job(7)})
    assert pool.done == ["a", "c"]
    assert found["a"]["double"].tolist() == [14]


def test_every_figure_is_one():
    assert all(isinstance(figure, Figure) for figure in FIGURES)
