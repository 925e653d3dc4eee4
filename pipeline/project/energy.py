"""The energy box of a projection: the smallest centred square that holds most of it."""

import numpy as np
from jaxtyping import Float16, Float64, Int16, Int32, Int64

ENERGY_SHARE = 0.9
"""Of the sum of squares over pixels and colours."""


def energy_boxes(
    pictures: Float16[np.ndarray, "entry row col 3"],
    boxes: Int32[np.ndarray, "entry 4"],
    pixel: int = 1,
) -> Int16[np.ndarray, "entry 4"]:
    """The smallest square, centred in each box, with 90 % of its picture's energy.

    Boxes are (top, left, bottom, right) in input pixels, of which `pixel` are one of the picture's
    along each side. A blank picture's is the whole box.
    """
    inside = _energy_within(pictures)
    # Margins with enough inside come first, for a larger margin holds less.
    margin = (inside >= ENERGY_SHARE * inside[:, :1]).sum(axis=1) - 1
    margin = np.where(inside[:, 0] > 0, margin, 0)[:, None]
    shrunk: Int64[np.ndarray, "entry 4"] = boxes + pixel * margin * np.array([1, 1, -1, -1])
    return shrunk.astype(np.int16)


def _energy_within(
    pictures: Float16[np.ndarray, "entry row col 3"],
) -> Float64[np.ndarray, "entry margin"]:
    """The energy of each picture without a margin of 0, 1, 2 … pixels on every side."""
    energy = np.square(pictures.astype(np.float32))
    quarter = _folded(_folded(energy[..., 0] + energy[..., 1] + energy[..., 2], 1), 2)
    rows, cols = quarter.shape[1:]
    ring = np.minimum(np.arange(rows)[:, None], np.arange(cols)).ravel()
    # A product with zeros and ones, which sums each ring; a loop over rings is ten times slower.
    rings = quarter.reshape(len(quarter), -1).astype(np.float64) @ np.eye(min(rows, cols))[ring]
    return rings[:, ::-1].cumsum(axis=1)[:, ::-1]


def _folded(
    values: np.ndarray[tuple[int, ...], np.dtype[np.float32]], axis: int
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """The values of an axis added to those at the same distance from its other end."""
    size = values.shape[axis]
    half = size // 2
    front, back = np.moveaxis(values, axis, 0), np.moveaxis(values, axis, 0)[::-1]
    folded = front[: size - half].copy()
    folded[:half] += back[:half]
    return np.moveaxis(folded, 0, axis)
