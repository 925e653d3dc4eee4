"""Table 1: whether hiding the same part in several images changes their features the same way.

For each image i, ε_i is its feature vector minus that of the image with the part hidden. Δ is the
mean over pairs of images of the share of features in which sign(ε_i) and sign(ε_j) differ.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from jaxtyping import Float64, Num, UInt8


@dataclass(frozen=True)
class Consistency:
    """Δ of one part in one layer."""

    mean: float
    deviation: float
    """Over the pairs of images; 0 for a single pair."""
    pairs: int


def sign_distances(
    changes: Num[np.ndarray, "image feature"],
) -> Float64[np.ndarray, " pair"]:
    """For each pair of images, the share of features whose changes differ in sign.

    A sign is −1, 0 or 1: a feature that neither image changes counts as equal.
    """
    signs = np.sign(changes)
    return np.array([np.mean(signs[i] != signs[j]) for i, j in combinations(range(len(signs)), 2)])


def consistency(*changes: Num[np.ndarray, "image feature"]) -> Consistency:
    """Δ of the images' changes in one layer; needs two images or more.

    Of several sets of changes (the draws of random places), over the pairs within each.
    """
    distances = np.concatenate([sign_distances(one) for one in changes])
    return Consistency(float(distances.mean()), float(distances.std()), len(distances))


def hide_part(
    pixels: UInt8[np.ndarray, "row col 3"], centre: tuple[float, float], side: int, value: int
) -> UInt8[np.ndarray, "row col 3"]:
    """An image with a square of one grey value around a (row, col) centre, cut off at the edges."""
    masked = pixels.copy()
    top, left = (round(at - side / 2) for at in centre)
    rows, cols = (slice(max(0, edge), max(0, edge + side)) for edge in (top, left))
    masked[rows, cols] = value
    return masked
