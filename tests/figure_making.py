"""Figures made in this process, without workers."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import torch

from pipeline.atlas import Run
from pipeline.compute.pool import Pool
from pipeline.figures.figure import Figure, Work
from pipeline.figures.registry import wanted
from pipeline.storage.figures import FigureData, write_figures


class Here(Pool):
    """In place of a pool of workers."""

    def __init__(self) -> None:
        self.done: list[str] = []
        """Names of the jobs, in the order in which they were done."""

    def run(self, task, jobs: Iterable[tuple[str, object]]) -> Iterator[tuple[str, object]]:
        for name, job in jobs:
            self.done.append(name)
            yield name, task(job, torch.device("cpu"))


def made(figure: Figure, run: Run, kept: Path, pool: Here | None = None) -> FigureData:
    """A figure, or why there is none."""
    if why := figure.missing(run):
        return FigureData(missing=why)
    kept.mkdir(parents=True, exist_ok=True)
    return figure.compute(Work(run, pool or Here(), kept, lambda steps: None))


def write_all(run: Run, kept: Path) -> None:
    """`artifacts/figures/` of a run, as its parameters ask for."""
    figures = {figure.name: made(figure, run, kept / figure.name) for figure in wanted(run)}
    write_figures(run.workspace.figures, figures, run.entries_provenance)
