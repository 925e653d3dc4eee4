"""What a data source is."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from pipeline.dataset.manifest import Split
from pipeline.params import DataParams
from pipeline.progress import Advance
from pipeline.sources.rejected import Rejection


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that may become an image of the data set."""

    split: Split
    path: str
    """Relative to the source's root, with `/` between folders; UTF-8."""
    label: str
    """Class name."""


@runtime_checkable
class Source(Protocol):
    """A kind of data set. A new one is one new module, and one line in `registry.py`."""

    def locate(
        self, root: Path, data: DataParams, seed: int, advance: Advance
    ) -> Sequence[Candidate | Rejection]:
        """List the files below `root`, drawing or downloading them first where need be.

        In any order; `prepare` sorts. A file that is known without opening it to be of no use
        comes as a Rejection. Raises AtlasError where there is nothing to list.
        """
        ...
