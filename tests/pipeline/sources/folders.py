"""Folders of files for the sources' tests; sources open no file, so most are empty."""

from collections.abc import Iterable
from pathlib import Path

from pipeline.params import DataParams
from pipeline.sources.protocol import Candidate
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


def splits(found: Iterable[Candidate | Rejection]) -> dict[str, set[str]]:
    """Paths of the candidates by split."""
    candidates = [item for item in found if isinstance(item, Candidate)]
    return {s: {c.path for c in candidates if c.split == s} for s in ("train", "val")}


def refused(found: Iterable[Candidate | Rejection]) -> dict[str, tuple[str, bool]]:
    """(reason, stray) of the rejections by path."""
    return {item.path: (item.reason, item.stray) for item in found if isinstance(item, Rejection)}
