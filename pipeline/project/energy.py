"""The energy box of a projection: the smallest square around its unit that holds most of it."""

import numpy as np
from jaxtyping import Float16, Float32, Float64, Int16, Int32, Int64

ENERGY_SHARE = 0.9
"""Of the sum of squares over pixels and colours."""
PIXELS = 1 << 14
"""Of pictures that are summed together; so many stay in the cache."""


def energy_boxes(
    pictures: Float16[np.ndarray, "entry row col 3"],
    frames: Int32[np.ndarray, "entry 4"],
    centres: Float64[np.ndarray, "entry 2"],
    pixel: int = 1,
) -> Int16[np.ndarray, "entry 4"]:
    """The smallest square around each unit's centre with 90 % of its picture's energy.

    It is cut to the frame, (top, left, bottom, right) in input pixels, of which `pixel` are one of
    the picture's along each side. Its middle is the centre to half a pixel of the picture. A blank
    picture's is the whole frame.
    """
    corners, ends = frames[:, :2], frames[:, 2:]
    twice = np.floor(2 * (centres - corners) / pixel + 0.5).astype(np.int64)
    inside = _energy_by_ring(pictures, twice).cumsum(axis=1)
    ring = (inside >= ENERGY_SHARE * inside[:, -1:]).argmax(axis=1)[:, None]
    first = np.maximum((twice - 1) // 2 - ring, 0)
    boxes = np.hstack(
        [corners + pixel * first, np.minimum(ends, corners + pixel * (twice // 2 + 1 + ring))]
    )
    return np.where(inside[:, -1:] > 0, boxes, frames).astype(np.int16)


def _energy_by_ring(
    pictures: Float16[np.ndarray, "entry row col 3"], twice: Int64[np.ndarray, "entry 2"]
) -> Float64[np.ndarray, "entry ring"]:
    """The energy of each picture by ring around its centre, which is given in half pixels.

    Ring 0 is the pixel at the centre, or the two or four that touch it.
    """
    count, *size = pictures.shape[:3]
    rows, cols = (
        np.abs(2 * np.arange(side) + 1 - twice[:, axis, None]) // 2
        for axis, side in enumerate(size)
    )
    rings = int(max(rows.max(initial=0), cols.max(initial=0))) + 1
    together = max(1, PIXELS // (size[0] * size[1]))
    energy = np.empty((count, rings))
    for first in range(0, count, together):
        some = slice(first, first + together)
        ring = np.maximum(rows[some, :, None], cols[some, None])
        ring += rings * np.arange(len(ring))[:, None, None]
        weight = _squares(pictures[some])
        energy[some] = np.bincount(ring.ravel(), weight.ravel(), rings * len(ring)).reshape(
            -1, rings
        )
    return energy


def _squares(
    pictures: Float16[np.ndarray, "entry row col 3"],
) -> Float32[np.ndarray, "entry row col"]:
    red, green, blue = np.moveaxis(np.square(pictures.astype(np.float32)), 3, 0)
    total: Float32[np.ndarray, "entry row col"] = red + green + blue
    return total
