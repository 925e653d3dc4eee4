"""The squares of image files, as networks see them."""

from pathlib import Path

import numpy as np

from pipeline.dataset.framing import centre_square
from pipeline.dataset.images import load_image


def load_square(path: Path, resize: int, crop: int) -> np.ndarray:
    """The square of an image file."""
    return centre_square(load_image(path.read_bytes()), resize, crop)
