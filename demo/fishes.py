"""Fish, from the side."""

import numpy as np

from demo.colour import Colour, darker, lighter, mix, near, palette
from demo.curves import ellipse, moved, rounded, taper
from demo.layer import PaintLayer
from demo.plate import Plate
from demo.view import Points, View


def fish(rng: np.random.Generator, view: View) -> PaintLayer:
    """A fish that looks left or right, slim or deep, banded, spotted or plain."""
    side = float(rng.choice([-1, 1]))
    plate = Plate(
        View(
            view.height,
            view.width,
            view.matrix @ np.array([[side, 0, -0.13 * side], [0, 1, 0], [0, 0, 1]]),
        )
    )
    back, flank, mark = palette(rng, 3)
    deep = rng.uniform(0.36, 0.62)
    back_line = _spine(deep)
    _tail(rng, plate, mark, deep)
    _fin(rng, plate, [(-0.45, -deep * 0.75), (-0.1, -deep - 0.32), (0.5, -deep * 0.35)], mark)
    _fin(rng, plate, [(-0.1, deep * 0.85), (0.25, deep + 0.25), (0.5, deep * 0.4)], mark)
    body = np.concatenate([back_line, (back_line * [1, -1])[::-1]])
    plate.dome(body, darker(back, 0.35), flank, (0.3, 0.65), 9)
    _mark(rng, plate, mark, deep)
    _scales(rng, plate, back, flank, deep)
    plate.outline(body, 0.02, darker(back, 0.65))
    _head(rng, plate, back, flank, deep)
    _fin(rng, plate, [(-0.32, 0.08), (0.12, 0.34), (0.06, 0.1)], lighter(mark, 0.15), 0.85)
    plate.mark("tail", 0.95, 0.0)
    return plate.layer(1.8)


def _spine(deep: float) -> Points:
    """Trace the back from mouth to tail."""
    corners = [(-1.0, 0.0), (-0.82, -deep * 0.5), (-0.35, -deep), (0.2, -deep * 0.78)]
    return rounded([*corners, (0.6, -deep * 0.28), (0.75, -0.09)], 8, closed=False)


def _half(x: float, deep: float) -> float:
    line = _spine(deep)
    return float(np.interp(x, line[:, 0], -line[:, 1]))


def _tail(rng: np.random.Generator, plate: Plate, colour: Colour, deep: float) -> None:
    spread, fork = deep * rng.uniform(0.8, 1.1), rng.uniform(0.9, 1.15)
    for side in (-1, 1):
        lobe = [(0.65, 0.0), (0.9, side * spread * 0.55), (1.28, side * spread), (fork, 0.0)]
        plate.dome(rounded(lobe, 8), darker(colour, 0.35), colour, (0.2, 0.35), 3)
        for step in range(1, 8):
            ray = np.array([(0.72, 0.0), (1.2 - 0.02 * step, side * spread * step / 8.2)])
            plate.stroke(ray, 0.014, darker(colour, 0.4), 0.4)


def _fin(
    rng: np.random.Generator,
    plate: Plate,
    corners: list[tuple[float, float]],
    colour: Colour,
    height: float = 0.3,
) -> None:
    first, tip, last = (np.array(corner) for corner in corners)
    plate.fill(rounded(corners, 8), near(rng, colour, 0.1), height)
    for share in np.linspace(0.1, 0.9, 9).tolist():
        root = first + (last - first) * share
        end = root + (tip - (first + last) / 2) * (0.85 - 0.9 * abs(share - 0.45))
        plate.stroke(np.array([root, end]), 0.016, darker(colour, 0.45), height + 0.1)


def _mark(rng: np.random.Generator, plate: Plate, colour: Colour, deep: float) -> None:
    kind = int(rng.integers(4))
    if kind == 0:
        for x in np.linspace(-0.3, 0.55, int(rng.integers(2, 6))).tolist():
            half = _half(x, deep) * 0.97
            band = np.linspace([x, -half], [x + 0.05, half], 8)
            plate.stroke(band, rng.uniform(0.08, 0.13), colour, None)
    if kind == 1:
        for _ in range(26):
            x = rng.uniform(-0.45, 0.6)
            y = rng.uniform(-0.85, 0.6) * _half(x, deep)
            plate.fill(ellipse(x, y, 0.045, 0.045, 14), colour, 0.6)
    if kind == 2:
        line = np.array([(x, -0.15 * _half(x, deep)) for x in np.linspace(-0.6, 0.72, 10).tolist()])
        plate.stroke(line, 0.11, colour, None)


def _scales(
    rng: np.random.Generator, plate: Plate, back: Colour, flank: Colour, deep: float
) -> None:
    size = rng.uniform(0.07, 0.1)
    turn = np.linspace(-1.25, 1.25, 7)
    arc = np.stack([np.cos(turn), np.sin(turn)], axis=1) * size * 0.62
    for column, x in enumerate(np.arange(-0.42, 0.68, size * 0.85).tolist()):
        half = _half(x, deep) * 0.92
        shift = size / 2 * (column % 2)
        for y in np.arange(-half + shift, half, size).tolist():
            tone = darker(mix(back, flank, 0.5 - 0.5 * y / deep), 0.45)
            plate.stroke(moved(arc, x, y), 0.016, tone, 0.62)


def _head(rng: np.random.Generator, plate: Plate, back: Colour, flank: Colour, deep: float) -> None:
    gill = deep * 0.62
    arc = [(-0.5, -gill), (-0.41, -gill * 0.4), (-0.42, gill * 0.4), (-0.53, gill * 0.95)]
    plate.fill(taper(rounded(arc, 8, closed=False), 0.03, 0.06), darker(back, 0.6), 0.4)
    y = -deep * 0.26
    plate.mark("eye", -0.68, y)
    plate.mark("mouth", -0.9, 0.07)
    ring = rng.uniform(0.085, 0.125)
    plate.fill(ellipse(-0.68, y, ring, ring, 24), lighter(flank, 0.7), 0.75)
    plate.outline(ellipse(-0.68, y, ring, ring, 24), 0.02, darker(back, 0.7))
    plate.fill(ellipse(-0.68, y, ring * 0.58, ring * 0.58, 20), (0.03, 0.03, 0.04), 0.75)
    plate.fill(ellipse(-0.71, y - 0.03, 0.022, 0.022, 10), (1.0, 1.0, 1.0), 0.75)
    mouth = rounded([(-1.0, 0.05), (-0.9, 0.09), (-0.8, 0.07 + rng.uniform(-0.04, 0.06))], 5, False)
    plate.stroke(mouth, 0.025, darker(back, 0.8), 0.4)
