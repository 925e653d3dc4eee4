"""Weights of a model folder as NumPy arrays, for what shows filters and computes no activation."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
from jaxtyping import Float

from pipeline.errors import AtlasError
from pipeline.network.card import (
    RETRAIN,
    ModelCard,
    check_weights,
    snapshot_path,
    start_sha256,
    weights_path,
)
from pipeline.network.readable import check_readable


@dataclass(frozen=True)
class StoredWeights:
    """A file of a network's weights, of which one tensor after the other is read."""

    path: Path
    shapes: dict[str, tuple[int, ...]]
    """Of the tensors that it must hold."""

    def array(self, name: str) -> Float[np.ndarray, "..."]:
        """A tensor by its name. Raises AtlasError where the file lacks it or has another."""
        check_readable(self.path, RETRAIN)
        try:
            with safetensors.safe_open(self.path, framework="np") as file:
                found: np.ndarray[Any, np.dtype[Any]] = file.get_tensor(name)
        except (safetensors.SafetensorError, OSError, TypeError, ValueError, KeyError) as error:
            raise AtlasError(
                f"{self.path}: {name} cannot be read ({error}).", fix=RETRAIN
            ) from None
        if found.shape != self.shapes[name] or found.dtype.kind != "f":
            raise AtlasError(
                f"{self.path}: {name} is {found.dtype} {found.shape}, not {self.shapes[name]}.",
                fix=RETRAIN,
            )
        return found


def stored_weights(folder: Path, card: ModelCard) -> StoredWeights:
    """The trained weights. Raises AtlasError where they are not the file that the card names."""
    check_readable(weights_path(folder), RETRAIN)
    check_weights(folder, card)
    return StoredWeights(weights_path(folder), card.graph().tensors)


def stored_start(folder: Path, card: ModelCard) -> StoredWeights | None:
    """The weights before the first step; None of a network that was trained elsewhere.

    Raises AtlasError where they are not the file that the card names.
    """
    if start_sha256(folder, card) is None:
        return None
    return StoredWeights(snapshot_path(folder, 0), card.graph().tensors)
