"""Backgrounds with the statistics of natural images: dead leaves, 1/f clouds, blurred scenes."""

import math
from collections.abc import Iterator

import numpy as np
from jaxtyping import Float
from PIL import Image, ImageDraw, ImageFilter

from demo.colour import Colour, flat, near, oklch, table
from demo.curves import ellipse, petal, star
from demo.layer import Field, Picture, blend, to_picture
from demo.noise import pink, smooth
from demo.view import Points

_FINER = 2


def background(rng: np.random.Generator, height: int, width: int) -> Picture:
    """Draw the background of a subject, in focus or not."""
    maker = (dead_leaves, dead_leaves, clouds, clouds, horizon, lights)[int(rng.integers(6))]
    picture = maker(rng, height, width)
    if rng.random() < 0.3:
        other = (dead_leaves, clouds)[int(rng.integers(2))](rng, height, width)
        share = np.clip(smooth(rng, height, width, 2) * 3 + np.float32(0.5), 0, 1)
        picture = blend(picture, other, share)
    return picture


def dead_leaves(rng: np.random.Generator, height: int, width: int) -> Picture:
    """Shapes that hide each other, their sizes falling off as 1/r**3 as in real scenes."""
    image = Image.new("RGB", (width * _FINER, height * _FINER))
    brush = ImageDraw.Draw(image)
    radii = _radii(rng, 330, rng.uniform(4, 10), rng.uniform(30, 70))
    spots = rng.uniform(-0.05, 1.05, (len(radii), 2)) * (width, height)
    tones = table(_tones(rng))[rng.integers(0, 5, len(radii))]
    inks = np.clip(tones * rng.uniform(0.75, 1.25, (len(radii), 1)) * 255, 0, 255)
    dims = inks * rng.uniform(0.35, 0.9)
    drop = rng.uniform(-2.5, 2.5, 2) * _FINER
    shapes = _scattered(rng, spots * _FINER, radii * _FINER)
    rows = zip(inks.astype(int).tolist(), dims.astype(int).tolist(), shapes, strict=True)
    for ink, dim, shape in rows:
        brush.polygon((shape + drop).ravel().tolist(), fill=tuple(dim))
        brush.polygon(shape.ravel().tolist(), fill=tuple(ink))
    image = image.reduce(_FINER)
    if rng.random() < 0.7:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.4, 5.0)))
    return _grained(rng, to_picture(image), rng.uniform(0.02, 0.1))


def clouds(rng: np.random.Generator, height: int, width: int) -> Picture:
    """A colour that wanders between three tones with 1/f noise: stone, sky, haze or fibres."""
    falloff = rng.uniform(1.6, 2.8)
    stretch = float(rng.choice([1.0, 1.0, 2.0, 4.0]))
    first, second, third = (flat(tone) for tone in _tones(rng)[:3])
    one = pink(rng, height, width, falloff, stretch)
    two = pink(rng, height, width, falloff + 0.4, stretch)
    picture = blend(first, second, _share(one))
    return _grained(rng, blend(picture, third, _share(two) * np.float32(0.7)), 0.03)


def horizon(rng: np.random.Generator, height: int, width: int) -> Picture:
    """Ground under a sky, or a table before a wall: two clouds that meet at a line."""
    slope = rng.uniform(-0.12, 0.12)
    level = height * rng.uniform(0.35, 0.7)
    col = np.arange(width, dtype=np.float32)[None, :]
    row = np.arange(height, dtype=np.float32)[:, None]
    below = row - np.float32(level) - col * np.float32(slope)
    rough = pink(rng, height, width, 2.4, 2.0) * np.float32(rng.uniform(0, 6))
    share = np.clip((below + rough) / np.float32(rng.uniform(1, 8)) + np.float32(0.5), 0, 1)
    ground = clouds(rng, height, width) if rng.random() < 0.6 else dead_leaves(rng, height, width)
    return blend(clouds(rng, height, width), ground, share)


def lights(rng: np.random.Generator, height: int, width: int) -> Picture:
    """Discs of blurred lamps and gaps between leaves before a dim ground."""
    picture = clouds(rng, height, width) * np.float32(rng.uniform(0.35, 0.8))
    glow = Image.new("RGB", (width, height))
    brush = ImageDraw.Draw(glow, "RGBA")
    tones = _tones(rng)
    radius = rng.uniform(6, 20)
    for _ in range(int(rng.integers(12, 45))):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        r = radius * rng.uniform(0.7, 1.3)
        tone = near(rng, tones[int(rng.integers(len(tones)))], 0.2)
        brush.ellipse((x - r, y - r, x + r, y + r), fill=_ink(tone))
    soft = glow.filter(ImageFilter.GaussianBlur(rng.uniform(0.8, 2.5)))
    return picture + to_picture(soft) * np.float32(0.8)


def _tones(rng: np.random.Generator) -> list[Colour]:
    """Draw muted colours as scenes have them, around one hue and, rarely, its opposite."""
    hue, chroma = rng.random(), rng.uniform(0.01, 0.11)
    dim = rng.uniform(0.2, 0.5)
    return [
        oklch(
            rng.uniform(dim, dim + 0.4),
            chroma * rng.uniform(0.3, 1.4),
            hue + rng.normal(0, 0.07) + 0.5 * (rng.random() < 0.2),
        )
        for _ in range(5)
    ]


def _radii(
    rng: np.random.Generator, count: int, smallest: float, largest: float
) -> Float[np.ndarray, " leaf"]:
    """Draw radii with density 1/r**3; the first are large and cover the ground."""
    low, high = 1 / largest**2, 1 / smallest**2
    radii = 1 / np.sqrt(low + rng.random(count) * (high - low))
    ground = count // 6
    radii[:ground] = rng.uniform(largest / 2, largest, ground)
    return radii


def _scattered(
    rng: np.random.Generator,
    spots: Float[np.ndarray, "leaf 2"],
    radii: Float[np.ndarray, " leaf"],
) -> Iterator[Points]:
    """Lay shapes of three kinds at the spots, each turned at random."""
    kinds = [_shape(rng) for _ in range(3)]
    turns = rng.uniform(0, math.tau, len(radii))
    c, s = radii * np.cos(turns), radii * np.sin(turns)
    matrices = np.stack([np.stack([c, s], 1), np.stack([-s, c], 1)], axis=1)
    for i, (matrix, spot) in enumerate(zip(matrices, spots, strict=True)):
        yield kinds[i % 3] @ matrix + spot


def _shape(rng: np.random.Generator) -> Points:
    kind = int(rng.integers(4))
    if kind == 0:
        return ellipse(0.0, 0.0, 1.0, rng.uniform(0.4, 1), 18)
    if kind == 1:
        return petal(2.4, rng.uniform(0.3, 1.0), rng.uniform(0.8, 1.6), 0.0, 10) - (1.2, 0.0)
    if kind == 2:
        return ellipse(0.0, 0.0, 1.2, rng.uniform(0.5, 1.2), 4)
    return star(int(rng.integers(3, 6)), rng.uniform(0.55, 0.9))


def _share(field: Field) -> Field:
    return np.asarray(np.clip(field * np.float32(0.33) + np.float32(0.5), 0, 1))


def _grained(rng: np.random.Generator, picture: Picture, strength: float) -> Picture:
    grain = pink(rng, picture.shape[0], picture.shape[1], 1.2)
    return picture * (1 + np.float32(strength) * grain)[..., None]


def _ink(colour: Colour) -> tuple[int, int, int, int]:
    red, green, blue = colour
    return round(255 * red), round(255 * green), round(255 * blue), 110
