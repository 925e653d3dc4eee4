"""The images that a figure shows: drawn by the run's seed, one per class."""

import numpy as np

from pipeline.atlas import Run
from pipeline.errors import AtlasError


def chosen_images(run: Run, purpose: int, count: int) -> list[int]:
    """Image rows of validation images of `count` different classes, or of all classes if fewer.

    `purpose` is a number of the figure's own, so that figures do not show the same images. Raises
    AtlasError without validation images.
    """
    if not run.images:
        raise AtlasError(
            "The manifest lists no validation image.", fix="Add some, then run `dvc repro`."
        )
    rng = np.random.default_rng([run.card.seed, purpose])
    by_class: dict[str, list[int]] = {}
    for row, image in enumerate(run.images):
        by_class.setdefault(image.label, []).append(row)
    labels = sorted(by_class)
    drawn = sorted(rng.permutation(len(labels))[:count].tolist())
    return [int(rng.choice(by_class[labels[place]])) for place in drawn]
