"""Textures of a plane: stripes, checks, dots, scales and wood, at any coordinates."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from demo.colour import (
    Colour,
    darker,
    flat,
    lighter,
    mix,
    near,
    oklch,
    palette,
    table,
)
from demo.layer import Field, Picture, blend
from demo.noise import tile
from demo.view import coverage


@dataclass(frozen=True)
class Plane:
    """A place to draw: plane coordinates under every pixel, and the pixels per unit there."""

    u: Field
    v: Field
    unit_px: Field

    def turned(self, angle: float, scale: float = 1.0) -> "Plane":
        """See the same plane with axes turned by `angle`, units `scale` times as long."""
        c, s = math.cos(angle) / scale, math.sin(angle) / scale
        return Plane(c * self.u + s * self.v, c * self.v - s * self.u, self.unit_px * scale)

    def pushed(self, du: Field, dv: Field) -> "Plane":
        """See the plane shifted by a different amount at every pixel."""
        return Plane(self.u + du, self.v + dv, self.unit_px)


Surface = tuple[Picture, Field]
"""A texture's colour, and its relief in pixels."""


def stripes(rng: np.random.Generator, plane: Plane) -> Surface:
    """Bands of two to five colours, straight or wavering like a zebra's."""
    plane = plane.turned(rng.uniform(0, math.pi), rng.uniform(0.25, 0.75))
    phase = plane.u
    if rng.random() < 0.45:
        phase = phase + rng.uniform(0.2, 0.7) * tile(rng, 5.0, 64).at(plane.u / 9, plane.v / 16)
    colours = palette(rng, int(rng.choice([2, 2, 2, 3, 4, 5])))
    ends = np.cumsum(rng.uniform(0.6, 1.4, len(colours)))
    edges: list[float] = (ends / ends[-1]).tolist()
    colour = bands(phase, plane.unit_px, edges, table(colours))
    return _woven(rng, plane, colour)


def bands(
    phase: Field,
    period_px: Field,
    edges: list[float],
    colours: Float32[np.ndarray, "colour rgb"],
) -> Picture:
    """Repeat colours along `phase`, one period per unit; band i ends at edges[i]."""
    place = phase - np.floor(phase)
    share = coverage(place * period_px)[..., None]
    picture: Picture = colours[-1] + (colours[0] - colours[-1]) * share
    for edge, colour in zip(edges[:-1], colours[1:], strict=True):
        picture += (colour - picture) * coverage((place - edge) * period_px)[..., None]
    picture += (colours[0] - picture) * coverage((place - 1) * period_px)[..., None]
    return picture


def checks(rng: np.random.Generator, plane: Plane) -> Surface:
    """A chessboard, tiles with joints, or gingham cloth."""
    plane = plane.turned(rng.uniform(0, math.pi), rng.uniform(0.3, 0.85))
    first, second = (flat(colour) for colour in palette(rng, 2))
    across, down = _square(plane.u, plane.unit_px), _square(plane.v, plane.unit_px)
    kind = int(rng.integers(3))
    if kind == 2:
        share = (across + down) * np.float32(0.25) + np.float32(0.5)
        return _woven(rng, plane, first + (second - first) * share[..., None])
    share = across * down * np.float32(0.5) + np.float32(0.5)
    colour = first + (second - first) * share[..., None]
    marble = tile(rng, 2.4).at(plane.u / 7, plane.v / 5)
    colour = colour * (1 + np.float32(rng.uniform(0.03, 0.14)) * marble)[..., None]
    height = np.zeros_like(plane.u)
    if kind == 1:
        joint = np.minimum(_to_edge(plane.u), _to_edge(plane.v))
        height = np.clip(joint * 14, 0, 1) * np.float32(2)
        colour = colour * (np.float32(0.45) + 0.55 * np.clip(joint * 20, 0, 1))[..., None]
    return colour, height


def dots(rng: np.random.Generator, plane: Plane) -> Surface:
    """Round spots in a square, hexagonal or disorderly grid: printed, or raised like beads."""
    plane = plane.turned(rng.uniform(0, math.pi), rng.uniform(0.3, 0.62))
    hexagonal = rng.random() < 0.6
    v = plane.v * np.float32(1.1547) if hexagonal else plane.v
    row = np.floor(v)
    u = plane.u + row * np.float32(0.5) if hexagonal else plane.u
    col = np.floor(u)
    jitter = rng.uniform(0, 0.22) if rng.random() < 0.4 else 0.0
    radius = rng.uniform(0.2, 0.45 - jitter)
    spread = jitter * 0.6
    du = u - col - np.float32(0.5) + _hashed(rng, row, col) * np.float32(jitter)
    dv = (v - row - np.float32(0.5)) / np.float32(1.1547 if hexagonal else 1)
    dv += _hashed(rng, row, col) * np.float32(jitter)
    reach = np.float32(radius) * (1 + _hashed(rng, row, col) * np.float32(spread))
    away = np.hypot(du, dv)
    inside = coverage((reach - away) * plane.unit_px)
    ground, *spots = palette(rng, int(rng.choice([2, 2, 3, 4])))
    pick = (_hashed(rng, row, col) * 0.5 + 0.5) * len(spots)
    spot = table(spots)[pick.astype(np.int32).clip(0, len(spots) - 1)]
    cloth, height = _woven(rng, plane, np.broadcast_to(flat(ground), spot.shape))
    if rng.random() < 0.5:
        ball = np.sqrt(np.clip(1 - (away / reach) ** 2, 0, 1))
        height = ball * np.float32(radius) * plane.unit_px * np.float32(0.8)
    return blend(cloth, spot, inside), height


def scales(rng: np.random.Generator, plane: Plane) -> Surface:
    """Overlapping rounded plates, as on fish, roofs and pine cones."""
    plane = plane.turned(rng.uniform(0, math.tau), rng.uniform(0.28, 0.55))
    pitch = rng.uniform(0.42, 0.6)
    first, second = palette(rng, 2)
    tint = tile(rng, 2.6)
    level = np.floor(plane.v / np.float32(pitch))
    colour = np.zeros((*plane.u.shape, 3), dtype=np.float32)
    height = np.zeros_like(plane.u)
    rim, heart = flat(darker(first, 0.55)), flat(lighter(first, rng.uniform(0, 0.3)))
    body, other = flat(first), flat(mix(first, second, rng.uniform(0.4, 1)))
    pointed = rng.uniform(0.0, 0.35)
    for offset in (1, 0, -1):
        row = level + np.float32(offset)
        shifted = plane.u + (row % 2) * np.float32(0.5)
        du = shifted - np.floor(shifted) - np.float32(0.5)
        dv = plane.v - row * np.float32(pitch)
        away = np.hypot(du, dv) + np.float32(pointed) * np.abs(du) * (dv > 0)
        inside = coverage((np.float32(0.6) - away) * plane.unit_px)
        mark = tint.at((row + np.floor(shifted)) * np.float32(0.083), row * np.float32(0.061))
        skin = blend(body, other, np.clip(0.5 + 0.6 * mark, 0, 1))
        skin = blend(skin, heart, np.clip(1 - away * np.float32(2.2), 0, 1))
        skin = blend(skin, rim, np.clip(away * np.float32(11) - np.float32(5.6), 0, 1))
        colour = blend(colour, skin, inside)
        height = height * (1 - inside) + inside * plane.unit_px * (dv * 0.22 + 0.2)
    return colour, height


def wood(rng: np.random.Generator, plane: Plane) -> Surface:
    """Boards of sawn wood: year rings that run along them, pores, knots and joints."""
    plane = plane.turned(rng.uniform(0, math.pi), rng.uniform(0.8, 1.3))
    board, away = _boards(plane.v, rng.uniform(0.5, 2.0), rng.uniform(0.2, 0.8))
    grain = tile(rng, 4.0, 96)
    along = plane.u + _hashed(rng, board, board) * 3
    across = plane.v + np.float32(0.13) * grain.at(along / 9, plane.v / 3)
    rings = np.hypot(across - np.float32(rng.uniform(-0.6, 0.6)), along * rng.uniform(0.05, 0.22))
    rings = rings + _knots(rng, plane)
    phase = rings * np.float32(rng.uniform(6, 13))
    place = phase - np.floor(phase)
    late = place**2 * coverage((1 - place) * plane.unit_px * np.float32(0.09))
    pores = tile(rng, 0.9).at(along / 5, plane.v * np.float32(1.3))
    light, dark = _stain(rng)
    share = np.clip(late + pores * np.float32(0.09) + np.float32(0.06), 0, 1)
    colour = blend(flat(light), flat(dark), share)
    colour *= (1 + np.float32(0.13) * _hashed(rng, board, board))[..., None]
    gap = np.clip(away * plane.unit_px / 2, 0, 1)
    colour *= (np.float32(0.25) + np.float32(0.75) * gap)[..., None]
    return colour, gap * 2 - share * np.float32(0.5)


def _knots(rng: np.random.Generator, plane: Plane) -> Field:
    """Draw the bulges that up to three knots make in the rings around them."""
    bulge = np.zeros_like(plane.u)
    for _ in range(int(rng.integers(0, 4))):
        u, v = rng.uniform(-1.2, 1.2), rng.uniform(-1.0, 1.0)
        squared = ((plane.u - u) * 0.55) ** 2 + (plane.v - v) ** 2
        bulge += np.float32(0.3) * np.exp(squared * np.float32(-22))
    return bulge


def _boards(v: Field, breadth: float, offset: float) -> tuple[Field, Field]:
    """Number the boards across v; say how far, in plane units, the nearest joint is."""
    place = v / np.float32(breadth) + np.float32(offset)
    board = np.floor(place)
    part = place - board
    return board, np.minimum(part, 1 - part) * np.float32(breadth)


def _stain(rng: np.random.Generator) -> tuple[Colour, Colour]:
    """Draw the colours of light and dark wood, natural or stained."""
    if rng.random() < 0.6:
        light = oklch(rng.uniform(0.55, 0.85), rng.uniform(0.05, 0.11), rng.uniform(0.1, 0.23))
    else:
        light = oklch(rng.uniform(0.45, 0.85), rng.uniform(0.0, 0.13), rng.random())
    return light, near(rng, darker(light, rng.uniform(0.45, 0.75)), 0.1)


def _woven(rng: np.random.Generator, plane: Plane, colour: Picture) -> Surface:
    """Give a flat print a material: threads, paint with blotches, or nothing."""
    kind = int(rng.integers(3))
    if kind == 0:
        return colour, np.zeros_like(plane.u)
    if kind == 1:
        mottle = tile(rng, 2.0).at(plane.u / 4, plane.v / 4)
        worn = 1 + np.float32(rng.uniform(0.04, 0.13)) * mottle
        return colour * worn[..., None], mottle * np.float32(0.4)
    threads = float(rng.uniform(7, 14))
    weave = _triangle(plane.u * threads) + _triangle(plane.v * threads)
    return colour * (np.float32(0.82) + np.float32(0.36) * weave)[..., None], weave


def _triangle(phase: Field) -> Field:
    return np.asarray(np.abs(phase - np.floor(phase) - np.float32(0.5)))


def _square(phase: Field, period_px: Field) -> Field:
    """A square wave of period 1 between -1 and 1, its edges one pixel wide."""
    wave: Field = (_triangle(phase) - np.float32(0.25)) * period_px * 2
    return wave.clip(-1, 1)


def _to_edge(phase: Field) -> Field:
    """Distance to the nearest jump of `_square`, in periods."""
    return np.asarray(np.abs(_triangle(phase) - np.float32(0.25)))


def _hashed(rng: np.random.Generator, row: Field, col: Field) -> Field:
    """Give every cell of a grid its own number, -1 to 1; it repeats after 64 cells."""
    numbers = rng.uniform(-1, 1, 64 * 64).astype(np.float32)
    index = (row.astype(np.int32) % 64) * 64 + col.astype(np.int32) % 64
    return np.asarray(numbers[index])
