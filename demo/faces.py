"""Faces, drawn from the skull outwards."""

import math

import numpy as np

from demo.colour import (
    Colour,
    any_colour,
    darker,
    hair_tone,
    lighter,
    mix,
    near,
    oklch,
    skin_tone,
)
from demo.curves import ellipse, rounded, taper
from demo.layer import PaintLayer
from demo.plate import Plate
from demo.view import View


def face(rng: np.random.Generator, view: View) -> PaintLayer:
    """A head from the front: hair, ears, brows, eyes, nose and mouth, with any expression."""
    plate = Plate(view)
    skin, hair = skin_tone(rng), hair_tone(rng)
    width, chin = rng.uniform(0.6, 0.72), rng.uniform(0.86, 0.98)
    long_hair = rng.random() < 0.45
    if long_hair:
        mane = _mirrored([(0.0, -1.05), (-0.62, -0.85), (-0.9, -0.1), (-0.75, 0.9)])
        plate.dome(rounded(mane), darker(hair, 0.5), hair, (0.05, 0.25), 4)
    _body(rng, plate, skin)
    _head(rng, plate, skin, width, chin)
    _nose(plate, skin, rng.uniform(0.08, 0.13))
    plate.mark("nose", 0.0, 0.25)
    _eyes(rng, plate, skin, hair)
    _mouth(rng, plate, skin, rng.uniform(-0.06, 0.13))
    plate.mark("mouth", 0.0, 0.58)
    if long_hair or rng.random() < 0.85:
        _haircut(rng, plate, hair, width)
    if rng.random() < 0.15:
        _beard(rng, plate, hair, width, chin)
    return plate.layer(2.2)


def _mirrored(left: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Close an outline whose first corner lies on the axis by its mirror image."""
    return [*left, *((-x, y) for x, y in reversed(left[1:]))]


def _head(rng: np.random.Generator, plate: Plate, skin: Colour, width: float, chin: float) -> None:
    shadow = darker(skin, 0.35)
    for side in (-1, 1):
        ear = ellipse(side * (width + 0.03), 0.02, 0.1, 0.2, 24)
        plate.dome(ear, skin, mix(skin, shadow, 0.7), (0.3, 0.4), 3)
    jaw = width * rng.uniform(0.62, 0.85)
    temple, cheek = (-width * 0.75, -0.68), (-width, -0.1)
    skull = rounded(_mirrored([(0.0, -0.9), temple, cheek, (-jaw, 0.55), (-0.2, chin)]))
    plate.dome(skull, mix(skin, shadow, 0.55), lighter(skin, 0.1), (0.35, 0.72), 10)
    for side in (-1, 1):
        glow = ellipse(side * width * 0.55, 0.3, 0.2, 0.15, 24)
        plate.blush(glow, skin, mix(skin, (0.85, 0.35, 0.3), 0.3))


def _eyes(rng: np.random.Generator, plate: Plate, skin: Colour, hair: Colour) -> None:
    """Draw both eyes, looking the same way, under their brows, now and then behind glasses."""
    gaze = (rng.uniform(-0.03, 0.03), rng.uniform(-0.015, 0.02))
    apart, half = rng.uniform(0.27, 0.32), rng.uniform(0.07, 0.11)
    iris = oklch(rng.uniform(0.3, 0.6), rng.uniform(0.03, 0.12), rng.uniform(0.1, 0.8))
    lift, slant = rng.uniform(-0.03, 0.04), rng.uniform(-0.05, 0.06)
    arch = [(0.13, -0.27 + slant), (apart + 0.02, -0.35 - lift), (apart + 0.2, -0.26)]
    for side, name in ((-1, "left eye"), (1, "right eye")):
        _eye(plate, side * apart, half, (skin, iris), gaze)
        plate.mark(name, side * apart, -0.1)
        spine = rounded([(side * x, y + rng.uniform(-0.015, 0.015)) for x, y in arch], 8, False)
        plate.fill(taper(spine, 0.09, 0.03), darker(hair, 0.4), 0.7)
    if rng.random() < 0.3:
        _glasses(rng, plate, apart)


def _eye(
    plate: Plate,
    x: float,
    half: float,
    colours: tuple[Colour, Colour],
    gaze: tuple[float, float],
) -> None:
    """Draw a small eye, `half` being half its opening, in the colours of skin and iris."""
    skin, iris = colours
    y, at_x, at_y = -0.1, x + gaze[0], gaze[1] - 0.1
    socket = ellipse(x, y - 0.02, 0.27, half + 0.14, 24)
    plate.blush(socket, darker(skin, 0.09), darker(skin, 0.4), 4)
    plate.fill(ellipse(x, y, 0.165, half, 24), (0.94, 0.93, 0.91), 0.6)
    for radius, tone in ((0.085, darker(iris, 0.4)), (0.068, iris), (0.035, (0.03, 0.03, 0.04))):
        plate.fill(ellipse(at_x, at_y, radius, radius, 20), tone, 0.6)
    plate.fill(ellipse(at_x + 0.03, at_y - 0.03, 0.018, 0.018, 10), (1.0, 1.0, 1.0), 0.62)
    lid = rounded([(x - 0.18, y + 0.02), (x, y - half - 0.015), (x + 0.18, y + 0.02)], 8, False)
    plate.stroke(lid, 0.035, darker(skin, 0.8))


def _body(rng: np.random.Generator, plate: Plate, skin: Colour) -> None:
    neck = np.array([[-0.3, 0.5], [0.3, 0.5], [0.36, 1.3], [-0.36, 1.3]])
    plate.fill(neck, darker(skin, 0.3), 0.3)
    cloth = any_colour(rng)
    left = [(-1.3, 2.2), (-1.1, 1.25), (-0.35, 1.02)]
    shirt = rounded([*left, *((-x, y) for x, y in reversed(left))])
    plate.dome(shirt, darker(cloth, 0.3), cloth, (0.2, 0.45), 5)
    plate.fill(ellipse(0.0, 1.0, 0.33, 0.2, 24), darker(skin, 0.25), 0.3)


def _nose(plate: Plate, skin: Colour, half: float) -> None:
    bridge = rounded([(-0.05, -0.15), (-half, 0.28), (0.0, 0.37), (half, 0.28), (0.05, -0.15)])
    plate.dome(bridge, skin, lighter(skin, 0.18), (0.68, 0.98), 6)
    for side in (-1, 1):
        plate.fill(ellipse(side * half * 0.55, 0.32, 0.035, 0.022, 12), darker(skin, 0.65), 0.7)


def _mouth(rng: np.random.Generator, plate: Plate, skin: Colour, smile: float) -> None:
    """Draw lips and, where they open, what is between them; a negative smile turns down."""
    lips = mix(skin, (0.75, 0.2, 0.25), rng.uniform(0.3, 0.75))
    half, y, joy = rng.uniform(0.2, 0.28), 0.57, max(0.0, smile)
    corners = [(-half, y - smile), (-0.07, y - 0.05), (0.0, y - 0.03)]
    edge = [*corners, *((-x, at) for x, at in reversed(corners[:-1])), (0.0, y + 0.1 + joy * 0.5)]
    plate.dome(rounded(edge, 8), darker(lips, 0.15), lighter(lips, 0.15), (0.66, 0.78), 3)
    gap, reach = rng.uniform(0.0, 0.09) + joy * 0.4, half * 0.85
    inner = [(-reach, y - smile), (0.0, y), (reach, y - smile), (0.0, y + gap)]
    plate.fill(rounded(inner, 8), (0.2, 0.05, 0.06), 0.55)
    if gap > 0.06:
        x, top = half * 0.6, y - smile * 0.6
        teeth = [(-x, top), (0.0, y + 0.005), (x, top), (0.0, y + gap * 0.5)]
        plate.fill(rounded(teeth, 8), (0.93, 0.92, 0.88), 0.6)


def _haircut(rng: np.random.Generator, plate: Plate, hair: Colour, width: float) -> None:
    """Cover the skull down to a fringe, then comb locks from the parting over it."""
    fringe, side = rng.uniform(-0.72, -0.42), rng.uniform(-0.45, 0.0)
    parting, half = rng.uniform(-0.3, 0.3), width + 0.07
    crown = [(-half, side), (-half, -0.6), (-0.4, -1.0), (0.0, -1.08)]
    crown += [(-x, y) for x, y in reversed(crown[:-1])]
    line = [(width * 0.85, fringe), (parting, fringe - 0.15), (-width * 0.85, fringe)]
    plate.dome(rounded(crown + line, 8), darker(hair, 0.25), hair, (0.7, 0.8), 3)
    for _ in range(46):
        x = rng.uniform(-half, half)
        out = abs(x / half)
        root = parting + (x - parting) * 0.25
        tip = (x, fringe - 0.08 + 0.5 * out**3 * (side - fringe))
        bend = ((root + x) * 0.575, -0.85 + 0.25 * out**2)
        lock = rounded([(root, -1.0 + 0.1 * abs(root)), bend, tip], 6, closed=False)
        plate.stroke(lock, rng.uniform(0.01, 0.035), near(rng, hair, 0.35), rng.uniform(0.66, 0.85))


def _beard(rng: np.random.Generator, plate: Plate, hair: Colour, width: float, chin: float) -> None:
    """Cover chin and cheeks with short hairs, all but the mouth."""
    for _ in range(230):
        angle = rng.uniform(0.12, 0.88) * math.pi
        away = rng.uniform(0.72, 1.04)
        x, y = width * 0.93 * away * math.cos(angle), 0.2 + (chin - 0.18) * away * math.sin(angle)
        if abs(x) < 0.3 and 0.42 < y < 0.72:
            continue
        tuft = np.array([(x, y), (x * 1.05 + rng.uniform(-0.03, 0.03), y + 0.09)])
        plate.stroke(tuft, 0.022, near(rng, darker(hair, 0.3), 0.35), rng.uniform(0.5, 0.7))


def _glasses(rng: np.random.Generator, plate: Plate, apart: float) -> None:
    frame = darker(any_colour(rng), 0.5)
    for side in (-1, 1):
        plate.outline(ellipse(side * apart, -0.08, 0.24, 0.2, 28), 0.045, frame)
    bridge = rounded([(-0.1, -0.1), (0.0, -0.14), (0.1, -0.1)], 6, closed=False)
    plate.stroke(bridge, 0.045, frame)
