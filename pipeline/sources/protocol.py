"""Data sources: what each must be able to do."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from pipeline.dataset.manifest import Split
from pipeline.dataset.members import key_of
from pipeline.params import DataParams
from pipeline.progress import Advance
from pipeline.sources.rejected import Rejection


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that may become an image of the data set."""

    split: Split | None
    """None until the usable images are divided."""
    path: str
    """Relative to `data.root`, with `/` between folders; UTF-8."""
    label: str
    """Class name; empty for an image without a class."""
    position: str = ""
    """Where it is inside another file, as in the manifest."""
    stamp: str = ""
    """Changes when the file does; empty where that cannot be seen."""

    @property
    def key(self) -> str:
        """What the image store reads it by."""
        return key_of(self.path, self.position)


Divide = Callable[[Sequence[Candidate]], Iterable[Candidate]]
"""Gives a split to usable images that have none, or leaves them out."""


@dataclass(frozen=True)
class Located:
    """The files of a data set."""

    candidates: Sequence[Candidate]
    rejected: Sequence[Rejection] = ()
    """Files that are known without opening them to be of no use."""
    divide: Divide = tuple
    """Applied to the candidates that turn out to be usable, so that no other takes a place."""


@runtime_checkable
class Source(Protocol):
    """A kind of data set. A new one is one new module, and one line in `registry.py`."""

    def fetch(self, location: str, data: DataParams, seed: int, advance: Advance) -> None:
        """Draw or download the images where they are missing; nothing for a user's own."""
        ...

    def locate(self, location: str, data: DataParams, seed: int, advance: Advance) -> Located:
        """List the files at a location, in any order; `prepare` sorts.

        Raises AtlasError where there is nothing to list.
        """
        ...
