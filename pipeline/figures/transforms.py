"""Transformed network inputs: an image moved, enlarged or turned about its centre."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import UInt8
from PIL import Image

Kind = Literal["translation", "scale", "rotation"]


@dataclass(frozen=True)
class Transform:
    """One transformation by a number of amounts."""

    kind: Kind
    unit: str
    amounts: tuple[float, ...]
    """Pixels downwards, a factor, or degrees anticlockwise; the first one leaves the image as it is
    where the range has such an amount."""


def transforms(translation_px: int, largest_scale: float, steps: int) -> tuple[Transform, ...]:
    """The paper's three (Fig. 5): ± so many pixels, up to a factor, all the way round."""
    down = np.linspace(-translation_px, translation_px, 2 * steps + 1).round()
    return (
        Transform("translation", "px", tuple(down.tolist())),
        Transform("scale", "×", tuple(np.linspace(1, largest_scale, steps + 1).tolist())),
        Transform("rotation", "°", tuple(np.arange(0, 360, 360 / (2 * steps)).tolist())),
    )


def transformed(
    image: UInt8[np.ndarray, "row col 3"],
    kind: Kind,
    amount: float,
    crop: int,
    fill: Sequence[float],
) -> UInt8[np.ndarray, "crop crop 3"]:
    """The centre crop of a transformed image; what comes from outside the image is `fill`."""
    row, col, _ = image.shape
    down = round(amount) if kind == "translation" else 0
    factor = amount if kind == "scale" else 1.0
    turn = math.radians(amount) if kind == "rotation" else 0.0
    # From a pixel of the result to one of the image, both about the centre.
    along, across = math.cos(turn) / factor, -math.sin(turn) / factor
    x, y = col / 2, row / 2 + down
    matrix = (
        along,
        across,
        col / 2 - along * x - across * y,
        -across,
        along,
        row / 2 + across * x - along * y,
    )
    picture = Image.fromarray(image)
    if not _is_identity(kind, amount):
        picture = picture.transform(
            picture.size,
            Image.Transform.AFFINE,
            [round(number, 9) for number in matrix],  # Pillow cuts off fractions of a level
            Image.Resampling.BILINEAR,
            fillcolor=tuple(round(value) for value in fill),
        )
    top, left = (row - crop) // 2, (col - crop) // 2
    return np.asarray(picture)[top : top + crop, left : left + crop].copy()


def _is_identity(kind: Kind, amount: float) -> bool:
    return amount == (1.0 if kind == "scale" else 0.0)
