"""The scene: a subject over a background, hidden in part, lit and photographed."""

import math
from collections.abc import Callable

import numpy as np
from PIL import Image

from demo.backgrounds import background
from demo.eyes import eye
from demo.faces import face
from demo.fishes import fish
from demo.flowers import flower
from demo.layer import Field, PaintLayer, Parts, Picture, cut, opaque
from demo.leaves import leaf
from demo.letters import letters
from demo.light import Sun, camera, lighting, lit, shadowed, sun
from demo.noise import pink, smooth, tile
from demo.occluders import occluder
from demo.patterns import bricks, maze, spiral, stars
from demo.textures import (
    Plane,
    Surface,
    checks,
    dots,
    scales,
    stripes,
    wood,
)
from demo.view import View, coverage, pose
from demo.wheels import wheel

Texture = Callable[[np.random.Generator, Plane], Surface]
Subject = Callable[[np.random.Generator, View], PaintLayer]

_TEXTURES: dict[str, Texture] = {
    "bricks": bricks,
    "checks": checks,
    "dots": dots,
    "scales": scales,
    "stripes": stripes,
    "wood": wood,
}

_SUBJECTS: dict[str, tuple[Subject, float, float, float]] = {
    "eye": (eye, 0.4, 0.35, 0.12),
    "face": (face, 0.42, 0.3, 0.12),
    "fish": (fish, 0.38, 0.6, 0.22),
    "flower": (flower, 0.42, math.pi, 0.25),
    "leaf": (leaf, 0.43, math.pi, 0.22),
    "letters": (letters, 0.37, 0.4, 0.25),
    "maze": (maze, 0.46, math.pi, 0.25),
    "spiral": (spiral, 0.46, math.pi, 0.25),
    "stars": (stars, 0.44, 0.6, 0.22),
    "wheel": (wheel, 0.42, math.pi, 0.3),
}
"""The drawing of each, its radius as a share of the shorter side, its largest turn and tilt."""

CLASSES = tuple(sorted([*_TEXTURES, *_SUBJECTS]))
"""Subjects of the pictures, in alphabetical order."""


WITH_PARTS = ("eye", "face", "fish", "flower", "wheel")
"""The subjects whose parts are known."""
HIDDEN = 0.5
"""A part is hidden where its occluders cover more than this."""


def draw(label: str, rng: np.random.Generator) -> Image.Image:
    """Draw one photograph's stand-in that shows `label`: RGB, 184 px and more a side."""
    return draw_with_parts(label, rng)[0]


def draw_with_parts(label: str, rng: np.random.Generator) -> tuple[Image.Image, Parts]:
    """The same, and where those parts of the subject are that nothing hides."""
    height, width = _size(rng)
    light = sun(rng)
    if label in _TEXTURES:
        layer = _dressed(rng, _TEXTURES[label], (height, width))
    else:
        subject, radius, spin, tilt = _SUBJECTS[label]
        view = pose(rng, (height, width), radius * rng.uniform(0.85, 1.12), spin, tilt)
        layer = _weathered(rng, subject(rng, view))
    picture, parts = lit(layer, light).colour, layer.parts
    if float(layer.alpha.min()) < 1:
        behind = _apart(background(rng, height, width), layer)
        picture = _stacked(behind, layer, light, rng.uniform(0.3, 0.7))
    if rng.random() < 0.35:
        before = occluder(rng, height, width)
        picture = _stacked(picture, before, light, 0.4)
        parts = tuple(part for part in parts if not _hidden(before, *part[1:]))
    return camera(rng, lighting(rng, picture, light)), parts


def _hidden(before: PaintLayer, row: float, col: float) -> bool:
    """Whether a layer covers a point of the picture, or the point is outside."""
    height, width = before.alpha.shape
    if not (0 <= row < height and 0 <= col < width):
        return True
    return float(before.alpha[int(row), int(col)]) > HIDDEN


def _stacked(below: Picture, layer: PaintLayer, light: Sun, shadow: float) -> Picture:
    """Lay a layer, lit, on a picture that it throws its shadow on."""
    return lit(layer, light).over(shadowed(below, layer, light, shadow))


def _size(rng: np.random.Generator) -> tuple[int, int]:
    """Draw (height, width): square to 4:3, upright or lying."""
    short = int(rng.integers(184, 209))
    long = round(short * rng.uniform(1.0, 1.34))
    return (short, long) if rng.random() < 0.6 else (long, short)


def _dressed(rng: np.random.Generator, texture: Texture, size: tuple[int, int]) -> PaintLayer:
    """Show a texture as a whole wall or cloth, on a ball, or as a piece cut from a sheet."""
    view = pose(rng, size, 0.5, 0.3, 0.28)
    u, v, unit_px = view.grid()
    kind = rng.random()
    if kind < 0.2:
        return _ball(rng, texture, u, v, unit_px)
    plane = Plane(u, v, unit_px)
    folds = np.zeros_like(u)
    if rng.random() < 0.45:
        folds = smooth(rng, *size, int(rng.integers(3, 6))) * np.float32(rng.uniform(3, 9))
        push = folds / unit_px
        plane = plane.pushed(push * np.float32(rng.uniform(-1.5, 1.5)), push)
    colour, height = texture(rng, plane)
    sheet = opaque(np.ascontiguousarray(colour, dtype=np.float32), height + folds)
    return sheet if kind < 0.62 else cut(sheet, _piece(rng, u, v, unit_px))


def _ball(
    rng: np.random.Generator, texture: Texture, u: Field, v: Field, unit_px: Field
) -> PaintLayer:
    """Wrap a texture around a ball or an egg that fills most of the picture."""
    u = u * np.float32(rng.uniform(0.95, 1.25))
    squared = u * u + v * v
    front = np.sqrt(np.clip(1 - squared, 0.02, 1))
    bulge = 1 / (np.float32(0.35) + np.float32(0.65) * front)
    plane = Plane(u * bulge, v * bulge, unit_px / bulge)
    colour, height = texture(rng, plane)
    shaded = colour * (np.float32(0.35) + np.float32(0.65) * front)[..., None]
    relief = height * front + front * unit_px * np.float32(0.6)
    return cut(opaque(shaded, relief), coverage((1 - np.sqrt(squared)) * unit_px))


def _piece(rng: np.random.Generator, u: Field, v: Field, unit_px: Field) -> Field:
    """Cover a rounded box, a disc or a wavy patch of the plane."""
    kind = int(rng.integers(3))
    if kind == 0:
        half = np.float32(rng.uniform(0.65, 0.9))
        corner = np.float32(rng.uniform(0.02, 0.3))
        out_u = np.maximum(np.abs(u) - half + corner, 0)
        out_v = np.maximum(np.abs(v) - half * np.float32(rng.uniform(0.8, 1.1)) + corner, 0)
        return coverage((corner - np.hypot(out_u, out_v)) * unit_px)
    reach = np.float32(rng.uniform(0.8, 1.0))
    if kind == 1:
        return coverage((reach - np.hypot(u, v)) * unit_px)
    bend = tile(rng, 3.2).at(u / 4, v / 4) * np.float32(0.12)
    return coverage((reach + bend - np.hypot(u, v)) * unit_px * np.float32(0.9))


def _apart(behind: Picture, layer: PaintLayer) -> Picture:
    """Darken or brighten a background whose light would swallow the subject."""
    tone = float(layer.colour.mean(axis=2).sum() / layer.alpha.sum())
    gap = float(behind.mean()) - tone
    if abs(gap) > 0.16:
        return behind
    wanted = tone - 0.2 if (gap < 0 and tone > 0.3) or tone > 0.6 else tone + 0.2
    return behind * np.float32(wanted / max(float(behind.mean()), 0.05))


def _weathered(rng: np.random.Generator, layer: PaintLayer) -> PaintLayer:
    """Give a drawn subject skin: blotches and grain, in colour and relief."""
    height, width = layer.alpha.shape
    grain = pink(rng, height, width, rng.uniform(1.0, 2.0))
    gain = 1 + np.float32(rng.uniform(0.015, 0.06)) * grain
    rough = layer.height + grain * np.float32(rng.uniform(0, 0.14))
    return PaintLayer(layer.colour * gain[..., None], layer.alpha, rough, layer.parts)
