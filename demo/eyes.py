"""Eyes, close up."""

import math

import numpy as np

from demo.colour import (
    Colour,
    darker,
    hair_tone,
    lighter,
    mix,
    near,
    oklch,
    skin_tone,
)
from demo.curves import ellipse, moved, rounded, taper
from demo.layer import PaintLayer
from demo.plate import Plate
from demo.view import Points, View


def eye(rng: np.random.Generator, view: View) -> PaintLayer:
    """One eye filling the picture: lids, lashes, a fibrous iris, a pupil and its highlight."""
    plate = Plate(view)
    skin = skin_tone(rng)
    plate.fill(ellipse(0.0, 0.0, 3.5, 3.5, 24), skin, 0.5)
    for step in range(8):
        share = step / 7
        socket = ellipse(0.0, -0.06, 1.5 - 0.5 * share, 1.0 - 0.38 * share, 40)
        plate.fill(socket, mix(skin, darker(skin, 0.42), share), 0.5 - 0.1 * share)
    tilt = rng.uniform(-0.1, 0.1)
    upper = [(-1.0, 0.1), (-0.5, -0.33), (0.05, -rng.uniform(0.4, 0.52)), (0.6, -0.3), (1.0, tilt)]
    lower = [(0.55, 0.33), (0.0, rng.uniform(0.4, 0.5)), (-0.6, 0.33)]
    opening = rounded(upper + lower, 8)
    plate.fill(moved(opening, 0.0, 0.0, 1.1), mix(skin, (0.75, 0.3, 0.3), 0.3), 0.52)
    white = lighter(near(rng, (0.86, 0.84, 0.82), 0.05), 0.2)
    plate.dome(opening, darker(white, 0.35), white, (0.4, 0.6), 6)
    _iris(rng, plate, rng.uniform(-0.22, 0.22), rng.uniform(-0.06, 0.03), rng.uniform(0.36, 0.43))
    _lids(plate, opening, skin)
    crease = rounded([(x, y - 0.17) for x, y in upper], 8, closed=False)
    plate.fill(taper(crease, 0.03, 0.05), darker(skin, 0.55), 0.42)
    _lashes(rng, plate, upper, -1.0)
    _lashes(rng, plate, lower, 0.5)
    _bush(rng, plate, hair_tone(rng))
    return plate.layer(2.0)


def _iris(rng: np.random.Generator, plate: Plate, x: float, y: float, radius: float) -> None:
    outer = oklch(rng.uniform(0.3, 0.6), rng.uniform(0.03, 0.14), rng.random())
    inner = oklch(rng.uniform(0.4, 0.75), rng.uniform(0.05, 0.13), rng.uniform(0.1, 0.35))
    plate.fill(ellipse(x, y, radius, radius), darker(outer, 0.75), 0.62)
    plate.fill(ellipse(x, y, radius * 0.93, radius * 0.93), outer, 0.62)
    pupil = radius * rng.uniform(0.33, 0.52)
    for angle in np.linspace(0, math.tau, 110, endpoint=False).tolist():
        start, stop = pupil * 0.9, radius * rng.uniform(0.55, 0.95)
        spoke = np.array([[start, 0.0], [stop, rng.uniform(-0.02, 0.02)]])
        tone = near(rng, mix(inner, outer, rng.random()), 0.4)
        plate.stroke(moved(spoke, x, y, 1.0, angle), rng.uniform(0.008, 0.022), tone, 0.62)
    plate.fill(ellipse(x, y, pupil, pupil, 32), (0.02, 0.02, 0.03), 0.62)
    plate.mark("pupil", x, y)
    gleam = ellipse(x - radius * 0.35, y - radius * 0.38, radius * 0.17, radius * 0.13, 20, 0.5)
    plate.fill(gleam, (0.98, 0.99, 1.0), 0.62)
    plate.fill(ellipse(x + radius * 0.4, y + radius * 0.4, 0.03, 0.02, 12), (0.9, 0.9, 0.9), 0.62)


def _lids(plate: Plate, opening: Points, skin: Colour) -> None:
    """Cover what of the iris reaches past the opening: a ring of skin from the opening outwards."""
    outer = moved(opening, 0.0, -0.02, 1.35)
    for i in range(len(opening)):
        j = (i + 1) % len(opening)
        piece = np.array([opening[i], opening[j], outer[j], outer[i]])
        shade = 0.3 if opening[i, 1] < 0 else 0.15
        plate.fill(piece, darker(skin, shade), 0.58)
    plate.outline(opening, 0.045, darker(skin, 0.82))


def _lashes(
    rng: np.random.Generator, plate: Plate, edge: list[tuple[float, float]], length: float
) -> None:
    spine = rounded(edge, 9, closed=False)
    for x, y in spine[1:-1].tolist():
        reach = length * rng.uniform(0.18, 0.3)
        bend = x * 0.22 + rng.uniform(-0.04, 0.04)
        hair = rounded([(x, y), (x + bend * 0.4, y + reach * 0.6), (x + bend, y + reach)], 4, False)
        plate.fill(taper(hair, 0.035, 0.006), (0.05, 0.04, 0.04), 0.66)


def _bush(rng: np.random.Generator, plate: Plate, hair: Colour) -> None:
    """Draw the brow above a big eye, hair by hair."""
    height = -rng.uniform(0.85, 1.0)
    for x in np.linspace(-1.0, 1.0, 70).tolist():
        y = height - 0.14 * (1 - x * x) + rng.uniform(-0.07, 0.07)
        tip = (x + rng.uniform(0.1, 0.2), y - rng.uniform(-0.02, 0.1) + 0.1 * max(0.0, x))
        plate.stroke(np.array([(x, y), tip]), 0.024, near(rng, darker(hair, 0.45), 0.35), 0.62)
