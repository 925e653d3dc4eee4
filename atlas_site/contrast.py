"""How well a picture of signals is seen: the spread of its grey levels where the signal is."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Num, UInt8

from atlas_site.display import HALF_RANGE, MID_GREY, energetic_part


@dataclass(frozen=True)
class Contrast:
    """What is seen of a picture."""

    deviation: float
    """Standard deviation of the grey levels inside the energetic part."""
    clipped: float
    """The share of them, over the whole picture, that are as dark or as light as there is."""


def contrast(
    signal: Float32[np.ndarray, "row col 3"], levels: UInt8[np.ndarray, "row col 3"]
) -> Contrast:
    """What is seen of one picture of a signal, given as the grey levels that show it."""
    part = levels[energetic_part(np.abs(signal))].astype(np.float64)
    away = np.abs(levels.astype(np.int64) - MID_GREY)
    return Contrast(float(part.std()), float((away >= HALF_RANGE).mean()))


def by_largest(signal: Num[np.ndarray, "row col 3"]) -> UInt8[np.ndarray, "row col 3"]:
    """Grey levels by the rule that the display rule is compared with: divided by the largest
    magnitude."""
    largest = float(np.abs(signal).max()) or 1.0
    return np.rint(MID_GREY + HALF_RANGE * (signal / largest)).astype(np.uint8)
