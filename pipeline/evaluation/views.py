"""The views of an image that a network is evaluated on: its centre crop, or ten crops."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from pipeline.dataset.framing import centre_square
from pipeline.params import Interpolation

View = UInt8[np.ndarray, "crop crop 3"]


def centre_crop(
    image: Image.Image, resize: int, crop: int, interpolation: Interpolation = "bilinear"
) -> Sequence[View]:
    """The network input alone."""
    return [centre_square(image, resize, crop, interpolation)]


def ten_crops(
    image: Image.Image, resize: int, crop: int, interpolation: Interpolation = "bilinear"
) -> Sequence[View]:
    """The network input, the four corners of the resized centre square, then all five mirrored."""
    wide = centre_square(image, resize, resize, interpolation)
    end = resize - crop
    corners = [(0, 0), (0, end), (end, 0), (end, end)]
    plain = [
        centre_square(image, resize, crop, interpolation),
        *(wide[top : top + crop, left : left + crop] for top, left in corners),
    ]
    return [*plain, *(view[:, ::-1] for view in plain)]
