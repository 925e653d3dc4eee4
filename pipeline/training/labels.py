"""Class names as numbers."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int64

from pipeline.dataset.manifest import ImageRow
from pipeline.errors import AtlasError


def labels_of(rows: Sequence[ImageRow], classes: Sequence[str]) -> Int64[np.ndarray, " image"]:
    """The class of each row as a position among the classes.

    Raises AtlasError for a class that is not among them.
    """
    position = {label: index for index, label in enumerate(classes)}
    if strange := sorted({row.label for row in rows} - set(position)):
        raise AtlasError(
            f"No training image shows {', '.join(strange[:5])}, but validation images do.",
            fix="Add training images of every class, then run `dvc repro`.",
        )
    return np.array([position[row.label] for row in rows], np.int64)
