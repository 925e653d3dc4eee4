"""Wheels."""

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
from demo.curves import ellipse, moved, taper
from demo.layer import PaintLayer
from demo.plate import Plate
from demo.view import View


def wheel(rng: np.random.Generator, view: View) -> PaintLayer:
    """A wheel of a cart, a bicycle or a car: tyre with tread, rim, spokes and hub."""
    plate = Plate(view)
    rubber = oklch(rng.uniform(0.15, 0.4), rng.uniform(0, 0.04), rng.random())
    metal = any_colour(rng) if rng.random() < 0.4 else oklch(rng.uniform(0.6, 0.92), 0.01, 0.6)
    kind = int(rng.integers(3))
    rim = (0.82, 0.93, 0.74)[kind] + rng.uniform(-0.03, 0.03)
    _annulus(plate, 1.05, rim, rubber, (0.25, 0.6))
    _tread(rng, plate, darker(rubber, 0.4))
    inside = rim - rng.uniform(0.08, 0.14)
    _annulus(plate, rim, inside, metal, (0.4, 0.62))
    if kind == 2 or rng.random() < 0.15:
        plate.fill(ellipse(0.0, 0.0, inside, inside, 64), darker(metal, 0.8), 0.1)
    hub = (0.2, 0.11, 0.16)[kind] * rng.uniform(0.85, 1.3)
    (_cart_spokes, _wire_spokes, _alloy_spokes)[kind](rng, plate, rim - 0.06, hub, metal)
    plate.dome(
        ellipse(0.0, 0.0, hub, hub, 32), darker(metal, 0.5), lighter(metal, 0.3), (0.55, 0.9), 6
    )
    plate.mark("hub", 0.0, 0.0)
    plate.mark("rim", 0.0, -rim)
    bolts = int(rng.integers(4, 7))
    for i in range(bolts):
        bolt = moved(
            ellipse(hub * 0.62, 0.0, 0.028, 0.028, 10), 0.0, 0.0, 1.0, math.tau * i / bolts
        )
        plate.fill(bolt, darker(metal, 0.6), 0.95)
    return plate.layer(1.4)


def _annulus(
    plate: Plate, outer: float, inner: float, colour: Colour, heights: tuple[float, float]
) -> None:
    """Draw a round bar bent into a ring, with a hole inside."""
    steps = 9
    low, high = heights
    for step in range(steps):
        share = step / (steps - 1)
        rise = math.sin(math.pi * (0.1 + 0.8 * share))
        radius = outer + (inner - outer) * step / steps
        tone = mix(darker(colour, 0.5), lighter(colour, 0.2), rise)
        plate.fill(ellipse(0.0, 0.0, radius, radius, 72), tone, low + (high - low) * rise)
    plate.clear(ellipse(0.0, 0.0, inner, inner, 72))


def _tread(rng: np.random.Generator, plate: Plate, rubber: Colour) -> None:
    count = int(rng.integers(28, 64))
    block = np.array([[0.98, 0.0], [1.1, rng.uniform(-0.06, 0.06)]])
    for angle in np.linspace(0, math.tau, count, endpoint=False).tolist():
        plate.stroke(moved(block, 0.0, 0.0, 1.0, angle), 2.6 / count, rubber, 0.5)


def _cart_spokes(
    rng: np.random.Generator, plate: Plate, reach: float, hub: float, colour: Colour
) -> None:
    count = int(rng.integers(6, 15))
    spine = np.linspace([hub * 0.5, 0.0], [reach, 0.0], 4)
    bar, core = taper(spine, 0.12, 0.09), taper(spine, 0.06, 0.04)
    for i in range(count):
        turn = math.tau * i / count
        plate.fill(moved(bar, 0.0, 0.0, 1.0, turn), darker(colour, 0.3), 0.4)
        plate.fill(moved(core, 0.0, 0.0, 1.0, turn), near(rng, colour, 0.1), 0.6)


def _wire_spokes(
    rng: np.random.Generator, plate: Plate, reach: float, hub: float, colour: Colour
) -> None:
    count = 2 * int(rng.integers(9, 16))
    for i in range(count):
        angle = math.tau * i / count
        root = angle + (0.9 if i % 2 else -0.9)
        start = (hub * 0.8 * math.cos(root), hub * 0.8 * math.sin(root))
        stop = (reach * math.cos(angle), reach * math.sin(angle))
        plate.stroke(np.array([start, stop]), 0.026, near(rng, colour, 0.15), 0.5)


def _alloy_spokes(
    rng: np.random.Generator, plate: Plate, reach: float, hub: float, colour: Colour
) -> None:
    count = int(rng.integers(4, 8))
    broad, narrow = rng.uniform(0.2, 0.3), rng.uniform(0.13, 0.3)
    twist = rng.uniform(-0.3, 0.3)
    spine = np.array([[hub * 0.3, 0.0], [reach * 0.6, twist * 0.3], [reach, twist * 0.6]])
    bar, face = taper(spine, broad, narrow), taper(spine, broad * 0.7, narrow * 0.7)
    for i in range(count):
        turn = math.tau * i / count
        plate.fill(moved(bar, 0.0, 0.0, 1.0, turn), darker(colour, 0.35), 0.4)
        plate.fill(moved(face, 0.0, 0.0, 1.0, turn), near(rng, colour, 0.06), 0.62)
