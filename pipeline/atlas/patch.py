"""Patches: the pixels that a unit sees."""

import numpy as np
from jaxtyping import Int32, UInt8


def cut_patch(
    image: UInt8[np.ndarray, "row col 3"], box: Int32[np.ndarray, "4"]
) -> UInt8[np.ndarray, "box_row box_col 3"]:
    """The pixels of a box (top, left, bottom, right), half-open; 0 outside the image."""
    top, left, bottom, right = box.tolist()
    patch = np.zeros((bottom - top, right - left, 3), np.uint8)
    inside = image[max(0, top) : max(0, bottom), max(0, left) : max(0, right)]
    row, col = max(0, -top), max(0, -left)
    patch[row : row + inside.shape[0], col : col + inside.shape[1]] = inside
    return patch
