"""Leaves, with their veins."""

import math

import numpy as np

from demo.colour import (
    Colour,
    any_colour,
    darker,
    lighter,
    near,
    oklch,
)
from demo.curves import ellipse, moved, rounded, shrunk, taper
from demo.layer import PaintLayer
from demo.plate import Plate
from demo.view import Points, View


def leaf(rng: np.random.Generator, view: View) -> PaintLayer:
    """One to three leaves: oval, toothed, lobed or hand-shaped, green or in autumn's colours."""
    plate = Plate(view)
    count = int(rng.choice([1, 1, 1, 2, 3]))
    kind = int(rng.integers(4))
    base = _foliage(rng)
    for i in range(count):
        scale = 1.0 if count == 1 else rng.uniform(0.68, 0.85)
        turn = math.tau * i / count + rng.uniform(-0.5, 0.5)
        x, y = (0.0, 0.0) if count == 1 else (0.32 * math.sin(turn), -0.32 * math.cos(turn))
        one_leaf(rng, plate, kind, near(rng, base, 0.15), (x, y, scale, turn))
    return plate.layer(1.6)


def one_leaf(
    rng: np.random.Generator,
    plate: Plate,
    kind: int,
    colour: Colour,
    place: tuple[float, float, float, float],
) -> None:
    """Draw a leaf that points upwards, at (x, y, scale, turn)."""
    x, y, scale, turn = place
    half = _hand(rng) if kind == 3 else _blade(rng, kind)
    outline = np.concatenate([half, (half * [-1, 1])[::-1]])
    vein = lighter(colour, rng.uniform(0.3, 0.6)) if rng.random() < 0.7 else darker(colour, 0.45)
    stem = moved(np.array([[0.0, 0.85], [0.04, 1.1], [0.1, 1.28]]), x, y, scale, turn)
    plate.fill(taper(stem, 0.06 * scale, 0.045 * scale), darker(vein, 0.2), 0.35)
    edge = moved(outline, x, y, scale, turn)
    plate.fill(edge, darker(colour, 0.25), 0.25)
    plate.dome(shrunk(edge, 0.97), near(rng, colour, 0.12), lighter(colour, 0.12), (0.35, 0.5), 5)
    for _ in range(int(rng.integers(0, 16))):
        spot = ellipse(rng.normal(0, 0.2), rng.normal(0, 0.35), 0.03, 0.02, 10, rng.random() * 3)
        plate.fill(moved(spot, x, y, scale, turn), near(rng, darker(colour, 0.4), 0.3), 0.4)
    ribs = _hand_ribs() if kind == 3 else _blade_ribs(half, int(rng.integers(5, 9)))
    for rib in ribs:
        line = moved(rounded(rib, 6, closed=False), x, y, scale, turn)
        plate.fill(taper(line, 0.045 * scale, 0.01), vein, 0.72)
    middle = np.linspace([0.0, 0.95], [0.0, -0.85], 12)
    plate.fill(taper(moved(middle, x, y, scale, turn), 0.07 * scale, 0.012), vein, 0.8)


def _foliage(rng: np.random.Generator) -> Colour:
    if rng.random() < 0.2:
        return any_colour(rng)
    return oklch(rng.uniform(0.35, 0.75), rng.uniform(0.06, 0.16), rng.uniform(0.06, 0.42))


def _blade(rng: np.random.Generator, kind: int) -> Points:
    """Trace the right half of a leaf from its base up to its tip: oval, toothed or lobed."""
    t = np.linspace(0, 1, 121)
    breadth, belly = rng.uniform(0.4, 0.68), rng.uniform(0.75, 1.3)
    x = breadth * np.sin(math.pi * t**belly) ** rng.uniform(0.75, 1.1)
    if kind == 1:
        teeth = int(rng.integers(9, 15))
        x = x * (1 - 0.16 * ((t * teeth) % 1.0))
    if kind == 2:
        lobes = int(rng.integers(4, 6))
        x = x * (0.72 + 0.33 * np.abs(np.sin(math.pi * lobes * t)) ** 0.8)
    return np.stack([x, 0.9 - 1.85 * t], axis=1)


def _hand(rng: np.random.Generator) -> Points:
    """Trace the right half of a maple's leaf, base to tip."""
    slim = rng.uniform(0.9, 1.1)
    corners = [(0.0, 0.75), (0.3, 0.72), (0.62, 0.78), (0.5, 0.5), (0.98, 0.28), (0.82, 0.12)]
    corners += [(1.0, -0.12), (0.68, -0.12), (0.36, 0.0), (0.46, -0.45), (0.27, -0.4), (0.0, -0.98)]
    return np.array(corners) * [slim, 1.0]


def _blade_ribs(half: Points, count: int) -> list[list[tuple[float, float]]]:
    ribs = []
    for step in range(1, count + 1):
        root = 0.85 - 1.5 * step / (count + 1)
        tip = root - 0.3
        reach = 0.86 * float(np.interp(-tip, -half[:, 1], half[:, 0]))
        for side in (-1, 1):
            ribs.append([(0.0, root), (side * reach * 0.55, root - 0.12), (side * reach, tip)])
    return ribs


def _hand_ribs() -> list[list[tuple[float, float]]]:
    tips = [(0.85, -0.02), (0.52, 0.7), (0.38, -0.36)]
    return [
        [(0.0, 0.72), (side * x * 0.5, (y + 0.72) / 2 - 0.03), (side * x, y)]
        for x, y in tips
        for side in (-1, 1)
    ]
