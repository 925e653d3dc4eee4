"""Samples of a shard: images with a class, or with a label that is none."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pipeline.dataset.class_names import LONGEST, class_name
from pipeline.errors import AtlasError
from pipeline.sources.protocol import Candidate
from pipeline.sources.rejected import Rejection


@dataclass
class Samples:
    """The content of a shard."""

    candidates: list[Candidate] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)


def label_of(number: int, names: Sequence[str]) -> str | None:
    """The class of a number; None where it is out of range."""
    if not names:
        return str(number) if number >= 0 else None
    return names[number] if 0 <= number < len(names) else None


def named_all(said: Iterable[str], where: str) -> list[str]:
    """A shard's own list of its classes' names. Raises AtlasError for one that is no name."""
    names = []
    for number, text in enumerate(said):
        if (name := class_name(text)) is None:
            raise AtlasError(
                f"{where}: the name of class {number} is none, {text!r}.",
                fix=f"Give it one line of at most {LONGEST} characters.",
            )
        names.append(name)
    return names


def no_name(path: str) -> Rejection:
    """A sample whose label is neither a number nor a name."""
    return Rejection(path, "label is no name of a class", stray=False)


def out_of_range(path: str, number: int, names: Sequence[str]) -> Rejection:
    """A sample whose label is not a class."""
    known = f"{len(names)} classes" if names else "numbers from 0"
    return Rejection(path, f"label out of range: {number} of {known}", stray=False)
