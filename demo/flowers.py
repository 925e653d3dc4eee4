"""Flowers."""

import math

import numpy as np

from demo.colour import (
    Colour,
    any_colour,
    darker,
    lighter,
    mix,
    near,
    oklch,
)
from demo.curves import ellipse, moved, petal, rounded, taper
from demo.layer import PaintLayer
from demo.leaves import one_leaf
from demo.plate import Plate
from demo.view import Points, View

_GOLDEN_TURN = math.pi * (3 - math.sqrt(5))


def flower(rng: np.random.Generator, view: View) -> PaintLayer:
    """A blossom of one to three rings of petals around a seeded heart."""
    plate = Plate(view)
    colour = oklch(rng.uniform(0.5, 0.93), rng.uniform(0.02, 0.22), rng.random())
    count = int(rng.integers(5, 15))
    rings = int(rng.integers(1, 4)) if count > 6 else int(rng.integers(1, 3))
    heart = rng.uniform(0.18, 0.34)
    _stalk(rng, plate)
    width = rng.uniform(1.25, 2.0) * math.tau * 0.55 / count
    shape = (min(0.85, width), rng.uniform(0.9, 1.7), float(rng.choice([0.0, 0.0, 0.25])))
    throat = mix(colour, any_colour(rng), rng.uniform(0.0, 0.8))
    start = rng.uniform(0, math.tau)
    for ring in range(rings):
        length = 1.05 * (1 - 0.24 * ring)
        for i in range(count):
            angle = start + math.pi * (2 * i + ring) / count + rng.uniform(-0.06, 0.06)
            outline = petal(length * rng.uniform(0.93, 1.05), *shape)
            shade = near(rng, lighter(colour, 0.1 * ring), 0.12)
            _petal(plate, outline, angle, (shade, throat), 0.3 + 0.12 * ring)
    _heart(rng, plate, heart)
    plate.mark("heart", 0.0, 0.0)
    return plate.layer(1.8)


def _stalk(rng: np.random.Generator, plate: Plate) -> None:
    green = oklch(rng.uniform(0.35, 0.6), rng.uniform(0.06, 0.13), rng.uniform(0.28, 0.42))
    bend = rng.uniform(-0.4, 0.4)
    spine = rounded([(0.0, 0.0), (bend * 0.3, 0.9), (bend, 2.0)], 10, closed=False)
    plate.fill(taper(spine, 0.12, 0.14), green, 0.2)
    for side in (-1, 1):
        if rng.random() < 0.7:
            turn = side * rng.uniform(1.2, 2.2)
            place = (side * 0.55, rng.uniform(0.75, 1.1), rng.uniform(0.4, 0.6), turn)
            one_leaf(rng, plate, 0, near(rng, green, 0.2), place)


def _petal(
    plate: Plate, outline: Points, angle: float, colours: tuple[Colour, Colour], base: float
) -> None:
    """Draw a petal that changes from the first colour at its rim to the second near the heart."""
    colour, throat = colours
    steps = 6
    plate.fill(moved(outline, 0.0, 0.0, 1.0, angle), darker(colour, 0.3), base)
    for step in range(steps):
        share = step / (steps - 1)
        inner = moved(outline * [0.97 - 0.25 * share, 0.93 - 0.55 * share], 0.0, 0.0, 1.0, angle)
        plate.fill(inner, mix(colour, throat, 0.85 * share**1.5), base + 0.14 * share)
    length, half = outline.max(axis=0).tolist()
    for slope in (-0.5, 0.0, 0.5):
        vein = np.array(
            [[0.2, 0.0], [length * 0.5, half * slope], [length * 0.82, half * slope * 1.2]]
        )
        plate.stroke(moved(vein, 0.0, 0.0, 1.0, angle), 0.014, darker(colour, 0.35), base + 0.05)


def _heart(rng: np.random.Generator, plate: Plate, radius: float) -> None:
    """Draw seeds on the spiral that sunflowers follow, one golden turn from each to the next."""
    seed = any_colour(rng) if rng.random() < 0.4 else oklch(0.75, 0.15, rng.uniform(0.15, 0.28))
    plate.dome(
        ellipse(0.0, 0.0, radius, radius), darker(seed, 0.65), darker(seed, 0.25), (0.6, 0.8), 4
    )
    count = int(rng.integers(50, 120))
    size = radius * 0.85 / math.sqrt(count)
    for i in range(count):
        away = radius * 0.96 * math.sqrt((i + 0.5) / count)
        x, y = away * math.cos(i * _GOLDEN_TURN), away * math.sin(i * _GOLDEN_TURN)
        plate.fill(ellipse(x, y, size, size, 8), near(rng, seed, 0.25), 0.95)
