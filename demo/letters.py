"""Capital letters, built from strokes."""

from functools import cache

import numpy as np
from jaxtyping import Float

from demo.colour import Colour, darker, lighter, palette
from demo.curves import ellipse, moved
from demo.layer import PaintLayer
from demo.plate import Plate
from demo.view import Points, View

Stroke = Float[np.ndarray, "_ 2"]
"""Points of a stroke, in units of half a letter's height; strokes differ in length."""

_ANGULAR: dict[str, list[list[tuple[float, float]]]] = {
    "A": [[(-0.6, 1.0), (0.0, -1.0), (0.6, 1.0)], [(-0.36, 0.3), (0.36, 0.3)]],
    "E": [[(0.55, -1.0), (-0.5, -1.0), (-0.5, 1.0), (0.55, 1.0)], [(-0.5, 0.0), (0.4, 0.0)]],
    "F": [[(0.55, -1.0), (-0.5, -1.0), (-0.5, 1.0)], [(-0.5, 0.0), (0.35, 0.0)]],
    "H": [[(-0.55, -1.0), (-0.55, 1.0)], [(0.55, -1.0), (0.55, 1.0)], [(-0.55, 0.0), (0.55, 0.0)]],
    "K": [[(-0.5, -1.0), (-0.5, 1.0)], [(0.55, -1.0), (-0.45, 0.1)], [(-0.15, -0.2), (0.6, 1.0)]],
    "M": [[(-0.7, 1.0), (-0.7, -1.0), (0.0, 0.3), (0.7, -1.0), (0.7, 1.0)]],
    "N": [[(-0.6, 1.0), (-0.6, -1.0), (0.6, 1.0), (0.6, -1.0)]],
    "T": [[(-0.7, -1.0), (0.7, -1.0)], [(0.0, -1.0), (0.0, 1.0)]],
    "W": [[(-0.85, -1.0), (-0.42, 1.0), (0.0, -0.4), (0.42, 1.0), (0.85, -1.0)]],
    "X": [[(-0.6, -1.0), (0.6, 1.0)], [(0.6, -1.0), (-0.6, 1.0)]],
    "Y": [[(-0.65, -1.0), (0.0, 0.0), (0.65, -1.0)], [(0.0, 0.0), (0.0, 1.0)]],
    "Z": [[(-0.6, -1.0), (0.6, -1.0), (-0.6, 1.0), (0.6, 1.0)]],
}
"""Letters of straight strokes only; each is two units high."""

_LAYOUTS: dict[int, list[tuple[float, float, float]]] = {
    1: [(0.0, 0.0, 0.85)],
    2: [(-0.52, 0.0, 0.68), (0.52, 0.0, 0.68)],
    3: [(0.0, -0.52, 0.43), (-0.52, 0.5, 0.43), (0.52, 0.5, 0.43)],
    4: [(-0.5, -0.5, 0.43), (0.5, -0.5, 0.43), (-0.5, 0.52, 0.43), (0.5, 0.52, 0.43)],
}
"""The places of so many letters: (x, y, scale)."""


def letters(rng: np.random.Generator, view: View) -> PaintLayer:
    """One to four capital letters with depth, on a panel or standing free."""
    plate = Plate(view)
    count = int(rng.choice([1, 1, 2, 2, 3, 4]))
    names = rng.choice(sorted([*_ANGULAR, *_curved()]), count).tolist()
    panel, *inks = palette(rng, 4)
    if rng.random() < 0.5:
        _panel(plate, panel, rng.uniform(1.05, 1.2))
    depth, inlaid = int(rng.choice([3, 8])), rng.random() < 0.35
    weight, slant = rng.uniform(0.24, 0.42), rng.uniform(-0.25, 0.25)
    lean = np.array([[1.0, 0.0], [-slant, 1.0]])
    for i, name in enumerate(names):
        x, y, scale = _LAYOUTS[count][i]
        turn = rng.uniform(-0.15, 0.15)
        strokes = [moved(stroke @ lean, x, y, scale, turn) for stroke in _strokes(name)]
        _solid(plate, strokes, weight * scale, inks[i % len(inks)], depth)
        if inlaid:
            for stroke in strokes:
                _bar(plate, stroke, weight * scale * 0.4, lighter(inks[i % len(inks)], 0.55), 0.75)
    return plate.layer(1.3)


def _panel(plate: Plate, colour: Colour, half: float) -> None:
    board = np.array([[-half, -half], [half, -half], [half, half], [-half, half]])
    plate.fill(board, darker(colour, 0.5), 0.25)
    plate.fill(board * 0.93, colour, 0.35)
    plate.outline(board * 0.84, 0.03, darker(colour, 0.4))


def _solid(plate: Plate, strokes: list[Stroke], width: float, ink: Colour, depth: int) -> None:
    """Draw a letter over `depth` shifted dark copies, its sides."""
    for step in range(depth + 1):
        back = (depth - step) * 0.02
        tone = darker(ink, 0.6) if step < depth else ink
        for stroke in strokes:
            _bar(plate, stroke + back, width, tone, 0.3 + 0.3 * step / depth)


def _bar(plate: Plate, stroke: Stroke, width: float, colour: Colour, height: float) -> None:
    """Draw a stroke with round ends."""
    plate.stroke(stroke, width, colour, height)
    for x, y in (stroke[0].tolist(), stroke[-1].tolist()):
        plate.fill(ellipse(x, y, width / 2, width / 2, 16), colour, height)


def _strokes(name: str) -> list[Stroke]:
    if name in _ANGULAR:
        return [np.array(stroke, dtype=float) for stroke in _ANGULAR[name]]
    return _curved()[name]


@cache
def _curved() -> dict[str, list[Stroke]]:
    stem = np.array([[-0.5, -1.0], [-0.5, 1.0]])
    top, middle, base = stem[:1], np.array([[-0.5, 0.04]]), stem[1:]
    bowl = np.concatenate([top, _arc(0.0, -0.48, 0.52, -90.0, 90.0), middle])
    belly = np.concatenate([middle, _arc(0.08, 0.52, 0.48, -90.0, 90.0), base])
    gap = _arc(0.0, 0.0, 0.7, -48.0, -312.0) * [1.0, 1.42]
    return {
        "B": [stem, bowl, belly],
        "C": [gap],
        "D": [stem, np.concatenate([top, _arc(-0.4, 0.0, 1.0, -90.0, 90.0), base])],
        "G": [gap, np.array([[0.48, 0.74], [0.48, 0.15], [0.05, 0.15]])],
        "J": [np.concatenate([[[0.4, -1.0]], _arc(-0.05, 0.5, 0.45, 0.0, 170.0)])],
        "O": [_arc(0.0, 0.0, 0.7, 0.0, 360.0) * [1.0, 1.42]],
        "P": [stem, bowl],
        "R": [stem, bowl, np.array([[-0.05, 0.04], [0.55, 1.0]])],
        "S": [
            np.concatenate(
                [_arc(0.0, -0.5, 0.52, -30.0, -270.0), _arc(0.0, 0.52, 0.5, -90.0, 150.0)]
            )
        ],
        "U": [np.concatenate([[[-0.55, -1.0]], _arc(0.0, 0.42, 0.55, 180.0, 0.0), [[0.55, -1.0]]])],
    }


def _arc(x: float, y: float, radius: float, start_deg: float, stop_deg: float) -> Points:
    """Trace a part of a circle; angles run clockwise from the right."""
    t = np.radians(np.linspace(start_deg, stop_deg, 20))
    return np.stack([x + radius * np.cos(t), y + radius * np.sin(t)], axis=1)
