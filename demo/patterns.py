"""Patterns with a plan: brick walls, mazes, spirals and stars."""

import math

import numpy as np

from demo.colour import (
    Colour,
    any_colour,
    darker,
    flat,
    lighter,
    near,
    palette,
    table,
)
from demo.curves import ellipse, moved, rounded, star
from demo.layer import PaintLayer, blend, cut
from demo.noise import tile
from demo.plate import Plate
from demo.textures import Plane, Surface, bands
from demo.view import Points, View, coverage


def bricks(rng: np.random.Generator, plane: Plane) -> Surface:
    """A wall of staggered courses, every brick of its own shade, with sunken mortar."""
    plane = plane.turned(rng.normal(0, 0.25), rng.uniform(0.28, 0.5))
    long = rng.uniform(1.8, 2.9)
    grit = tile(rng, 1.4)
    rough = grit.at(plane.u / 6, plane.v / 6)
    v = plane.v + np.float32(0.02) * rough
    course = np.floor(v)
    u = plane.u / np.float32(long) + course * np.float32(rng.choice([0.5, 0.5, 1 / 3]))
    brick = np.floor(u)
    joint = np.float32(rng.uniform(0.05, 0.1))
    from_side = (np.float32(0.5) - np.abs(u - brick - np.float32(0.5))) * np.float32(long) - joint
    from_bed = np.float32(0.5) - np.abs(v - course - np.float32(0.5)) - joint
    inside = coverage(np.minimum(from_side, from_bed) * plane.unit_px)
    clay, mortar = palette(rng, 2)
    shades = table([near(rng, clay, 0.28) for _ in range(23)])
    index = (brick * 7 + course * 5).astype(np.int32) % 23
    stone = shades[index] * (1 + np.float32(0.11) * rough)[..., None]
    bed = flat(mortar) * (1 + np.float32(0.09) * grit.at(plane.u, plane.v))[..., None]
    rounded_edge = np.clip(np.minimum(from_side, from_bed) * 9, 0, 1)
    height = (rounded_edge * np.float32(0.09) + rough * np.float32(0.012)) * plane.unit_px
    return blend(bed, stone, inside), height


def maze(rng: np.random.Generator, view: View) -> PaintLayer:
    """A labyrinth with one way between any two cells, as raised walls on a floor."""
    cells = int(rng.integers(7, 11))
    floor, wall = palette(rng, 2)
    plate = Plate(view)
    reach = 1.25
    step = 2 * reach / cells
    plate.fill(np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * (reach + 0.1), floor, 0.1)
    thick = step * rng.uniform(0.28, 0.5)
    for start, stop in _walls(rng, cells):
        ends = np.array([start, stop], dtype=float) * step - reach
        along = np.sign(ends[1] - ends[0]) * thick / 2
        plate.stroke(ends + np.array([-along, along]), thick, near(rng, wall, 0.08), 0.45)
    return plate.layer(1.2)


def _walls(rng: np.random.Generator, cells: int) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Carve a spanning tree through a square of cells and list the walls that stay."""
    passages: set[frozenset[tuple[int, int]]] = set()
    seen, trail = {(0, 0)}, [(0, 0)]
    while trail:
        x, y = trail[-1]
        ways = [(x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)]
        ways = [w for w in ways if min(w) >= 0 and max(w) < cells and w not in seen]
        if not ways:
            trail.pop()
            continue
        step = ways[int(rng.integers(len(ways)))]
        passages.add(frozenset(((x, y), step)))
        seen.add(step)
        trail.append(step)
    rim = [((0, 0), (cells, 0)), ((0, 0), (0, cells))]
    rim += [((cells, 0), (cells, cells)), ((0, cells), (cells, cells))]
    for x in range(cells):
        for y in range(cells):
            if x + 1 < cells and frozenset(((x, y), (x + 1, y))) not in passages:
                rim.append(((x + 1, y), (x + 1, y + 1)))
            if y + 1 < cells and frozenset(((x, y), (x, y + 1))) not in passages:
                rim.append(((x, y + 1), (x + 1, y + 1)))
    return rim


def spiral(rng: np.random.Generator, view: View) -> PaintLayer:
    """One to three arms winding out of a centre, even or growing like a shell's."""
    u, v, unit_px = view.grid()
    away = np.hypot(u, v) + np.float32(1e-4)
    turn = np.arctan2(v, u) * np.float32(1 / math.tau)
    arms = int(rng.choice([1, 1, 2, 3])) * int(rng.choice([-1, 1]))
    colours = palette(rng, int(rng.choice([2, 2, 3])))
    if rng.random() < 0.6:
        tightness = rng.uniform(2.2, 4.5)
        phase, period_px = away * np.float32(tightness), unit_px / np.float32(tightness)
    else:
        growth = rng.uniform(1.2, 2.2)
        phase = np.log(away) * np.float32(growth)
        period_px = unit_px * away / np.float32(growth)
    phase = phase + turn * np.float32(arms)
    place = phase - np.floor(phase)
    edges = [(i + 1) / len(colours) for i in range(len(colours))]
    colour = bands(phase, period_px, edges, table(colours))
    mottle = tile(rng, 2.2).at(u / 3, v / 3)
    colour *= (1 + np.float32(0.09) * mottle)[..., None]
    ridge = np.sin(place * np.float32(math.pi)) * np.minimum(period_px, 40)
    layer = PaintLayer(colour, np.ones_like(u), ridge * np.float32(rng.uniform(0.1, 0.5)))
    if rng.random() < 0.25:
        return layer
    wobble = np.float32(rng.uniform(0, 0.05)) * np.sin(turn * np.float32(math.tau * 5))
    return cut(layer, coverage((np.float32(1.08) + wobble - away) * unit_px))


def stars(rng: np.random.Generator, view: View) -> PaintLayer:
    """One to five stars of four to eight points: folded, plain or round-tipped."""
    plate = Plate(view)
    count = int(rng.choice([1, 1, 2, 3, 5]))
    points = int(rng.choice([4, 5, 5, 5, 5, 6, 7, 8]))
    inner = rng.uniform(0.36, 0.52) if points < 7 else rng.uniform(0.5, 0.65)
    kind = int(rng.integers(3))
    colours = [any_colour(rng) for _ in range(2)]
    for i in range(count):
        scale = rng.uniform(0.95, 1.1) if count == 1 else rng.uniform(0.4, 0.58)
        ring = 0.0 if count == 1 else 0.62
        angle = math.tau * i / count + rng.uniform(-0.2, 0.2)
        place = (ring * math.cos(angle), ring * math.sin(angle), scale, rng.uniform(-0.5, 0.5))
        colour = near(rng, colours[i % 2], 0.15)
        if kind == 2:
            _sea_star(plate, star(points, inner), colour, place)
        else:
            _star(plate, moved(star(points, inner), *place), colour, folded=kind == 0)
    return plate.layer(2.0)


def _sea_star(
    plate: Plate, outline: Points, colour: Colour, place: tuple[float, float, float, float]
) -> None:
    """Draw a soft star with a spot on every arm, at (x, y, scale, turn)."""
    soft = moved(rounded([(x, y) for x, y in outline.tolist()], 6), *place)
    plate.dome(soft, darker(colour, 0.35), lighter(colour, 0.25), (0.2, 0.8))
    for x, y in (outline[::2] * 0.5).tolist():
        spot = moved(ellipse(x, y, 0.05, 0.05, 12), *place)
        plate.fill(spot, lighter(colour, 0.5), 0.85)


def _star(plate: Plate, outline: Points, colour: Colour, folded: bool) -> None:
    """Draw a star of two-toned ridges, or flat with an inset contour."""
    centre = outline.mean(axis=0)
    plate.fill(outline, colour, 0.4)
    if not folded:
        plate.outline(outline, 0.06, darker(colour, 0.6))
        plate.fill((outline - centre) * 0.62 + centre, lighter(colour, 0.45), 0.6)
        return
    for i in range(len(outline)):
        shade = darker(colour, 0.45) if i % 2 else lighter(colour, 0.3)
        corner = np.array([centre, outline[i], outline[(i + 1) % len(outline)]])
        plate.fill(corner, shade, 0.4 + 0.1 * (i % 2))
