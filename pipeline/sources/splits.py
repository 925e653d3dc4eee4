"""Names of splits, as people write them."""

import re

from pipeline.dataset.manifest import Split

TRAIN_WORDS = frozenset({"train", "training"})
VAL_WORDS = frozenset({"val", "valid", "validation"})
TEST_WORDS = frozenset({"test", "testing"})
"""Taken for validation images only where nothing else is named so."""


def words_of(path: str) -> set[str]:
    """The words of a path, in small letters."""
    return set(re.split(r"[^a-z]+", path.lower()))


def split_of(path: str) -> Split | None:
    """The split that a path says by one of its words."""
    words = words_of(path)
    if words & TRAIN_WORDS:
        return "train"
    return "val" if words & (VAL_WORDS | TEST_WORDS) else None
