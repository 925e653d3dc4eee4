"""Things before the subject that hide a part of it: twigs, blades, blurred blobs, posts."""

import math

import numpy as np
from jaxtyping import Float
from PIL import Image, ImageDraw, ImageFilter

from demo.colour import Colour, darker, near, oklch
from demo.curves import ellipse, moved, petal, rounded, taper
from demo.layer import PaintLayer, to_picture

_FINER = 2


def occluder(rng: np.random.Generator, height: int, width: int) -> PaintLayer:
    """Draw an occluder; it leaves most of the middle free."""
    size = float(min(height, width))
    maker = (_twig, _blades, _blob, _post)[int(rng.integers(4))]
    image = Image.new("RGBX", (width * _FINER, height * _FINER), (0, 0, 0, 0))
    brush = ImageDraw.Draw(image)
    for outline, tone in maker(rng, size):
        spot = moved(outline, width / 2, height / 2)
        red, green, blue = (round(255 * part) for part in tone)
        brush.polygon((spot * _FINER).ravel().tolist(), fill=(red, green, blue, 255))
    flat = image.reduce(_FINER)
    soft = rng.uniform(2, 6) if maker is _blob else rng.uniform(0.0, 1.5)
    paint = to_picture(flat.filter(ImageFilter.GaussianBlur(soft)))
    alpha = np.ascontiguousarray(paint[..., 3])
    return PaintLayer(np.ascontiguousarray(paint[..., :3]), alpha, alpha * np.float32(4))


Shapes = list[tuple[Float[np.ndarray, "_ 2"], Colour]]
"""Outlines in pixels from the middle of the picture, hindmost first."""


def _twig(rng: np.random.Generator, size: float) -> Shapes:
    """A branch with leaves along one side of the picture."""
    bark = oklch(rng.uniform(0.25, 0.5), 0.05, rng.uniform(0.1, 0.2))
    green = oklch(rng.uniform(0.3, 0.65), rng.uniform(0.04, 0.14), rng.uniform(0.1, 0.42))
    turn, away = rng.uniform(0, math.tau), size * rng.uniform(0.25, 0.42)
    bend = rng.uniform(-0.12, 0.12) * size
    spine = rounded([(-size, away), (0.0, away + bend), (size, away)], 12, closed=False)
    shapes = [(taper(spine, size * 0.03, size * 0.012), bark)]
    for x, y in spine[::3].tolist():
        blade = petal(size * rng.uniform(0.12, 0.22), size * 0.08, 1.2, 0.0, 12)
        angle = rng.uniform(0.3, 1.0) * float(rng.choice([-1, 1]))
        shapes.append((moved(blade, x, y, 1.0, angle), near(rng, green, 0.3)))
    return [(moved(outline, 0.0, 0.0, 1.0, turn), tone) for outline, tone in shapes]


def _blades(rng: np.random.Generator, size: float) -> Shapes:
    """Grass from below."""
    green = oklch(rng.uniform(0.3, 0.7), rng.uniform(0.04, 0.14), rng.uniform(0.2, 0.4))
    shapes = []
    for _ in range(int(rng.integers(5, 16))):
        x = rng.uniform(-0.7, 0.7) * size
        tip = (x + rng.uniform(-0.2, 0.2) * size, size * rng.uniform(-0.1, 0.4))
        middle = (x + 0.3 * (tip[0] - x), size * 0.35)
        spine = rounded([(x, size * 0.75), middle, tip], 7, closed=False)
        shapes.append((taper(spine, size * rng.uniform(0.02, 0.045), 0.5), near(rng, green, 0.35)))
    return shapes


def _blob(rng: np.random.Generator, size: float) -> Shapes:
    """Something near the lens, out of focus, at the rim."""
    tone = oklch(rng.uniform(0.2, 0.8), rng.uniform(0.0, 0.12), rng.random())
    angle = rng.uniform(0, math.tau)
    x, y = size * 0.58 * math.cos(angle), size * 0.58 * math.sin(angle)
    radius = size * rng.uniform(0.15, 0.3)
    return [(ellipse(x, y, radius, radius * rng.uniform(0.5, 1.2), 30, angle), tone)]


def _post(rng: np.random.Generator, size: float) -> Shapes:
    """A bar across the picture, off its middle."""
    tone = oklch(rng.uniform(0.15, 0.7), rng.uniform(0.0, 0.08), rng.random())
    away, half = size * rng.uniform(0.12, 0.4), size * rng.uniform(0.02, 0.055)
    bar = np.array([[-2 * size, away - half], [2 * size, away - half], [2 * size, away + half]])
    bar = np.concatenate([bar, [[-2 * size, away + half]]])
    shade = bar * [1.0, 1.0] + [0.0, half * 1.2]
    turn = rng.uniform(0, math.tau)
    return [
        (moved(shade, 0.0, 0.0, 1.0, turn), darker(tone, 0.5)),
        (moved(bar, 0.0, 0.0, 1.0, turn), tone),
    ]
