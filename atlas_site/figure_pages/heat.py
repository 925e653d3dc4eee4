"""Maps over the places of a square, drawn on the image that it hides."""

import numpy as np
from jaxtyping import Float, Int, UInt8

RAMP = (
    (0, 34, 78),
    (18, 53, 112),
    (59, 73, 108),
    (87, 93, 109),
    (112, 113, 115),
    (138, 134, 120),
    (165, 156, 116),
    (195, 179, 105),
    (225, 204, 85),
    (254, 232, 56),
)
"""Low to high, even in lightness and safe for the colour-blind; `figures.css` has it too."""
CLASS_COLOURS = (
    (0, 100, 168),
    (222, 110, 40),
    (0, 140, 110),
    (190, 90, 160),
    (225, 180, 50),
    (90, 170, 225),
    (120, 80, 40),
    (130, 130, 130),
)
"""Of the most frequent classes, then one for all others; `figures.css` has them too."""
COVER = 0.62
"""Share of the image that the colour covers."""
DARK = 0.55
"""Brightness of the image where no place of the square is centred."""

Picture = UInt8[np.ndarray, "row col 3"]


def heat(values: Float[np.ndarray, "row col"], top: float) -> UInt8[np.ndarray, "row col 3"]:
    """The colours of values from 0 to `top`; those beyond are as the ends."""
    share = np.clip(values / (top or 1.0), 0, 1) * (len(RAMP) - 1)
    anchors = np.arange(len(RAMP))
    planes = [np.interp(share, anchors, [colour[c] for colour in RAMP]) for c in range(3)]
    return np.rint(np.stack(planes, axis=-1)).astype(np.uint8)


def categories(numbers: Int[np.ndarray, "row col"]) -> UInt8[np.ndarray, "row col 3"]:
    """The colours of classes by their place among the most frequent."""
    colours = np.array(CLASS_COLOURS, np.uint8)
    painted: Picture = colours[np.minimum(numbers, len(CLASS_COLOURS) - 1)]
    return painted


def overlaid(
    image: Picture, colours: UInt8[np.ndarray, "_ _ 3"], rows: list[int], cols: list[int], side: int
) -> Picture:
    """The image in grey under the colours: each place colours the pixels nearest to its middle."""
    grey = image.astype(np.float64) @ np.array([0.299, 0.587, 0.114])
    shown = np.repeat(grey[..., None], 3, axis=2)
    down, across = (_nearest(len(grey), rows, side), _nearest(grey.shape[1], cols, side))
    painted = colours[np.maximum(down, 0)][:, np.maximum(across, 0)].astype(np.float64)
    inside = ((down >= 0)[:, None] & (across >= 0))[..., None]
    mixed = np.where(inside, (1 - COVER) * shown + COVER * painted, DARK * shown)
    return np.rint(mixed).clip(0, 255).astype(np.uint8)


def _nearest(size: int, corners: list[int], side: int) -> Int[np.ndarray, " pixel"]:
    """By pixel, the place whose middle is nearest; −1 beyond the outermost places."""
    middles = np.array(corners) + side / 2
    step = corners[1] - corners[0] if len(corners) > 1 else side
    pixels = np.arange(size) + 0.5
    found = np.abs(pixels[:, None] - middles).argmin(axis=1)
    return np.where(np.abs(pixels - middles[found]) <= step / 2, found, -1)
