"""The display rule: from a signed picture to grey levels, the same for every picture of signals."""

import numpy as np
from jaxtyping import Float32, Int, Num, UInt8

MID_GREY = 128
HALF_RANGE = 127
ENERGETIC_SHARE = 0.9
"""The energetic part: the smallest centred square with this share of the summed magnitudes."""
BRIGHT_SHARE = 0.98
"""This share of the energetic part's magnitudes is at most the display scale."""


def to_grey(
    signal: Num[np.ndarray, "*tile row col 3"],
) -> UInt8[np.ndarray, "*tile row col 3"]:
    """Grey levels of signed pictures, each scaled by itself, symmetrically about zero.

    A value v becomes 128 + 127 u / √(1 + u²) with u = v / s, where s is the picture's display
    scale: 0 is mid grey to the bit, nothing is clipped, and a few extreme pixels do not turn the
    others grey, as they would if s were the largest magnitude.
    """
    tiles = signal.reshape(-1, *signal.shape[-3:]).astype(np.float32)
    levels = np.empty(tiles.shape, np.uint8)
    for level, tile in zip(levels, tiles, strict=True):
        level[...] = _levels(tile, display_scale(tile))
    return levels.reshape(signal.shape)


def _levels(tile: Float32[np.ndarray, "row col 3"], scale: float) -> UInt8[np.ndarray, "row col 3"]:
    if scale == 0:
        return np.full(tile.shape, MID_GREY, np.uint8)
    u = tile / np.float32(scale)
    # hypot, since the square of a pixel far above the scale may overflow.
    return np.rint(MID_GREY + HALF_RANGE * (u / np.hypot(np.float32(1), u))).astype(np.uint8)


def display_scale(tile: Float32[np.ndarray, "row col 3"]) -> float:
    """The 98th percentile of the magnitudes inside the energetic part; 0 for a flat picture.

    Where fewer than 2 % of them differ from 0, the largest magnitude.
    """
    magnitude = np.abs(tile)
    part = magnitude[energetic_part(magnitude)].ravel()
    place = min(len(part) - 1, int(BRIGHT_SHARE * len(part)))
    return float(np.partition(part, place)[place]) or float(magnitude.max())


def energetic_part(magnitude: Float32[np.ndarray, "row col 3"]) -> tuple[slice, slice]:
    """The smallest centred square that holds nine tenths of the summed magnitudes.

    Magnitudes, not energies: a single extreme pixel would hold nearly all of the energy. Of a
    picture that is not a square, the square's part inside it.
    """
    rows, cols = magnitude.shape[:2]
    ring = np.maximum(_offsets(rows)[:, None], _offsets(cols)[None, :])
    held = np.cumsum(np.bincount(ring.ravel(), weights=magnitude.sum(axis=2).ravel()))
    outermost = int(np.searchsorted(held, ENERGETIC_SHARE * held[-1]))
    return _centred(rows, outermost), _centred(cols, outermost)


def _offsets(side: int) -> Int[np.ndarray, " side"]:
    """Distance of each line from the middle one, or from the nearer of the middle two."""
    return np.abs(2 * np.arange(side) - (side - 1)) // 2


def _centred(side: int, outermost: int) -> slice:
    first = max(0, (side - 1) // 2 - outermost)
    return slice(first, side - first)
