"""The cache of a process between tasks: the model, read from disk once."""

import threading
from collections.abc import Callable, Hashable
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from pipeline.errors import AtlasError
from pipeline.network.card import load_card
from pipeline.network.model import Model, load_model

P = TypeVar("P", bound=Hashable)
Q = TypeVar("Q", bound=Hashable)
R = TypeVar("R")

KEPT = 2
"""Results kept: those of the run under way and of the one before, or of two devices."""


def cached_per_process(load: Callable[[P, Q], R]) -> Callable[[P, Q], R]:
    """A function whose last results are kept; of threads that ask at once, one does the work."""
    loading, kept = threading.Lock(), lru_cache(maxsize=KEPT)(load)

    def ask(first: P, second: Q) -> R:
        with loading:
            return kept(first, second)

    return ask


def load_pinned_model(folder: Path, model_sha256: str, snapshot: int | None = None) -> Model:
    """The model in a folder, or one of its snapshots.

    Raises AtlasError where the folder holds another model than was agreed on.
    """
    card = load_card(folder)
    if card.sha256 != model_sha256:
        raise AtlasError(
            f"{folder} holds another model ({card.sha256[:12]}…) than when the "
            f"run began ({model_sha256[:12]}…).",
            fix="Let every worker see the same files, and do not train while a stage runs.",
        )
    return load_model(folder, snapshot)
