"""Light and camera: relief shading, cast shadows, exposure, blur and sensor noise."""

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from demo.colour import Colour, flat, oklch
from demo.layer import (
    Field,
    PaintLayer,
    Picture,
    blurred,
    to_image,
    to_picture,
)
from demo.noise import smooth


@dataclass(frozen=True)
class Sun:
    """The one light of a scene."""

    x: float
    """Direction towards the light along the columns; (x, y) has length 1."""
    y: float
    strength: float
    """How much a slope of 1 brightens or darkens."""
    gleam: float
    """Strength of the highlight on slopes that face the light."""
    reach_px: float
    """Length of cast shadows."""
    tint: Colour


def sun(rng: np.random.Generator) -> Sun:
    """Draw a light that mostly comes from above, now and then coloured."""
    angle = rng.normal(-math.pi / 2, 0.9)
    chroma = float(rng.choice([0.01, 0.03, 0.06]))
    return Sun(
        x=math.cos(angle),
        y=math.sin(angle),
        strength=rng.uniform(0.3, 0.62),
        gleam=float(rng.choice([0.0, 0.1, 0.25])),
        reach_px=rng.uniform(3, 14),
        tint=oklch(0.97, chroma, rng.random()),
    )


def lit(layer: PaintLayer, light: Sun) -> PaintLayer:
    """Shade a layer by the slopes of its relief."""
    slope_y, slope_x = np.gradient(layer.height)
    facing = -(slope_x * np.float32(light.x) + slope_y * np.float32(light.y))
    facing = facing / np.sqrt(1 + facing * facing)
    shade = 1 + np.float32(light.strength) * facing
    colour = layer.colour * shade[..., None]
    if light.gleam:
        shine = np.clip(facing - np.float32(0.35), 0, 1) * np.float32(light.gleam)
        colour += (shine * layer.alpha)[..., None]
    return PaintLayer(colour, layer.alpha, layer.height)


def shadowed(below: Picture, layer: PaintLayer, light: Sun, depth: float) -> Picture:
    """Darken a picture where the layer above it keeps the light away."""
    right, down = round(-light.x * light.reach_px), round(-light.y * light.reach_px)
    cast = np.roll(layer.alpha, (down, right), axis=(0, 1))
    soft = blurred(cast, max(1.5, light.reach_px * 0.45))
    return below * (1 - np.float32(depth) * soft)[..., None]


def lighting(rng: np.random.Generator, picture: Picture, light: Sun) -> Picture:
    """Let the light fall off across the picture, with dappled shade or a beam at times."""
    height, width = picture.shape[:2]
    col = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    row = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    slope = np.float32(rng.uniform(0, 0.3)) * (col * light.x + row * light.y)
    corner = np.float32(rng.uniform(0, 0.2)) * (col * col + row * row)
    gain = 1 + slope.astype(np.float32) - corner
    kind = rng.random()
    if kind < 0.25:
        gain *= 1 - np.float32(0.4) * _dapple(rng, height, width)
    elif kind < 0.36:
        gain *= 1 - np.float32(0.45) * _blind(rng, height, width)
    seen: Picture = picture * gain[..., None] * flat(light.tint)
    return seen


def camera(rng: np.random.Generator, picture: Picture) -> Image.Image:
    """Expose, focus and add the sensor's noise."""
    mean = float(picture.mean())
    wanted = rng.uniform(0.38, 0.56)
    gain = min(1.9, max(0.6, wanted / max(mean, 0.05)))
    contrast = rng.uniform(0.85, 1.2)
    exposed = (picture * np.float32(gain) - np.float32(wanted)) * np.float32(contrast)
    exposed += np.float32(wanted)
    image = to_image(exposed)
    if rng.random() < 0.5:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 0.9)))
    height, width = picture.shape[:2]
    noise = np.float32(rng.uniform(0.004, 0.025))
    grain = rng.random((height, width, 3), dtype=np.float32) - np.float32(0.5)
    grain += grain[..., 1:2]
    return to_image(to_picture(image) + noise * np.float32(2.5) * grain)


def _dapple(rng: np.random.Generator, height: int, width: int) -> Field:
    """Shade as under a tree: soft patches."""
    patches = smooth(rng, height, width, int(rng.integers(3, 8))) * np.float32(2.5)
    return (patches + np.float32(rng.uniform(0, 0.8))).clip(0, 1)


def _blind(rng: np.random.Generator, height: int, width: int) -> Field:
    """Shade with one edge, as of a wall or a window frame."""
    angle = rng.uniform(0, math.tau)
    col = np.arange(width, dtype=np.float32)[None, :] - np.float32(width * rng.uniform(0.3, 0.7))
    row = np.arange(height, dtype=np.float32)[:, None] - np.float32(height * rng.uniform(0.3, 0.7))
    away = col * np.float32(math.cos(angle)) + row * np.float32(math.sin(angle))
    bent = away + np.float32(9) * smooth(rng, height, width, 4)
    return np.asarray(np.clip(bent / np.float32(rng.uniform(4, 14)), 0, 1))
