"""The interface of figures, and what they work with: workers, and results kept meanwhile."""

import hashlib
import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar, runtime_checkable

import torch

from pipeline.atlas import Run
from pipeline.compute.pool import Pool
from pipeline.params.figures import FigureName
from pipeline.progress import Advance
from pipeline.storage.checked import read_checked, write_checked
from pipeline.storage.figures import Arrays, FigureData, load_arrays, save_arrays

J = TypeVar("J")
UNFIT = re.compile(r"[^\w.-]")
"""For file names."""


@dataclass(frozen=True)
class Work:
    """The workers and stored results that a figure is made with."""

    run: Run
    pool: Pool
    """Workers; tasks for them are functions of a module, and deterministic."""
    kept: Path
    """The figure's own folder of resumable state."""
    advance: Advance
    """Told of every finished step."""

    def each(
        self, task: Callable[[J, torch.device], Arrays], jobs: Mapping[str, J]
    ) -> dict[str, Arrays]:
        """The results of a task on every job, by the jobs' names and in their order.

        A result that an interrupted run has left for an equal job is not computed again, so a job
        holds all that its result depends on. One job is one step.
        """
        paths = {name: self._path(name, job) for name, job in jobs.items()}
        done = {name: kept for name in jobs if (kept := _read(paths[name])) is not None}
        self.advance(len(done))
        ahead = [(name, job) for name, job in jobs.items() if name not in done]
        for name, arrays in self.pool.run(task, ahead):
            _write(paths[name], arrays)
            done[name] = arrays
            self.advance(1)
        return {name: done[name] for name in jobs}

    def _path(self, name: str, job: object) -> Path:
        """Where a job's result is kept; dataclasses of equal content have equal texts."""
        digest = hashlib.sha256(repr(job).encode()).hexdigest()[:12]
        return self.kept / f"{UNFIT.sub('_', name)}.{digest}"


def _read(path: Path) -> Arrays | None:
    content = read_checked(path)
    return None if content is None else load_arrays(content)


def _write(path: Path, arrays: Arrays) -> None:
    buffer = io.BytesIO()
    save_arrays(buffer, arrays)
    write_checked(path, lambda file: file.write(buffer.getbuffer()))


@runtime_checkable
class Figure(Protocol):
    """A figure or table of the paper: one module, and one line in `registry.py`."""

    name: FigureName
    """Of its files, its page and its switch in `figures.make`."""

    def missing(self, run: Run) -> str:
        """The sentence that says why it cannot be made for this run; empty where it can."""
        ...

    def steps(self, run: Run) -> int:
        """How many steps its work has, for the progress bar."""
        ...

    def compute(self, work: Work) -> FigureData:
        """Make it. What takes long goes through `work.each`."""
        ...
