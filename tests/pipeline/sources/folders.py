"""Folders of files for the sources' tests; sources open no file, so most are empty."""

from collections.abc import Iterable
from pathlib import Path

from pipeline.params import DataParams
from pipeline.progress import no_progress
from pipeline.sources.protocol import Candidate, Located, Source
from pipeline.sources.rejected import Rejection


def touch(root: Path, paths: Iterable[str]) -> None:
    """Make empty files and the folders above them."""
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()


def data_params(source: str, **changes: object) -> DataParams:
    """Parameters in which a test changes what it is about."""
    values = {
        "source": source,
        "root": "unused",
        "resize": 32,
        "crop": 32,
        "train_per_class": None,
        "val_per_class": None,
        "val_fraction": 0.25,
        "max_rejected_fraction": 0.05,
    }
    return DataParams.model_validate(values | changes)


def locate(source: Source, root: Path, data: DataParams, seed: int = 0) -> Located:
    """What a source finds at a root, fetched first."""
    source.fetch(str(root), data, seed, no_progress)
    return source.locate(str(root), data, seed, no_progress)


def images(found: Located) -> list[Candidate]:
    """The candidates with their splits, as if all of them were usable."""
    return list(found.divide(found.candidates))


def splits(found: Located | Iterable[Candidate]) -> dict[str, set[str]]:
    """Paths of the candidates by split."""
    candidates = images(found) if isinstance(found, Located) else list(found)
    return {s: {c.path for c in candidates if c.split == s} for s in ("train", "val")}


def refused(found: Located | Iterable[Rejection]) -> dict[str, tuple[str, bool]]:
    """(reason, stray) of the rejections by path."""
    rejected = found.rejected if isinstance(found, Located) else found
    return {item.path: (item.reason, item.stray) for item in rejected}
