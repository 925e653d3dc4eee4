"""Outlines: points of the closed and open curves that drawings are made of."""

import math
from functools import cache

import numpy as np
from jaxtyping import Float

from demo.view import Points


def ellipse(x: float, y: float, rx: float, ry: float, count: int = 48, turn: float = 0.0) -> Points:
    """Trace an ellipse around (x, y), turned by `turn` radians."""
    return moved(_circle(count) * (rx, ry), x, y, 1.0, turn)


def rounded(values: list[tuple[float, float]], count: int = 10, closed: bool = True) -> Points:
    """Run a smooth curve through the given points (a Catmull-Rom spline)."""
    p = np.asarray(values, dtype=float)
    if closed:
        before, start, stop, after = (np.roll(p, shift, axis=0) for shift in (1, 0, -1, -2))
    else:
        padded = np.concatenate([p[:1], p, p[-1:]])
        before, start, stop, after = padded[:-3], padded[1:-2], padded[2:-1], padded[3:]
    t = np.linspace(0, 1, count, endpoint=False)[None, :, None]
    b, s, e, a = (q[:, None, :] for q in (before, start, stop, after))
    curve = 0.5 * (
        2 * s + (e - b) * t + (2 * b - 5 * s + 4 * e - a) * t**2 + (3 * s - b - 3 * e + a) * t**3
    )
    flat = curve.reshape(-1, 2)
    return flat if closed else np.concatenate([flat, p[-1:]])


def petal(length: float, width: float, sharpness: float, notch: float, count: int = 24) -> Points:
    """Trace a petal from the origin to (length, 0); a positive `notch` dents its tip."""
    t = np.linspace(0, 1, count)
    half = width / 2 * np.sin(math.pi * t ** (1 / sharpness)) ** 0.75
    x = length * (t - notch * np.maximum(0, t - 0.8) * 2)
    return np.concatenate([np.stack([x, half], 1), np.stack([x, -half], 1)[::-1]])


def star(points: int, inner: float) -> Points:
    """Trace a star of outer radius 1, first point upwards; odd corners are the inner ones."""
    t = np.arange(2 * points)
    radius = np.where(t % 2 == 0, 1.0, inner)
    angle = math.pi * t / points - math.pi / 2
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def taper(spine: Points, start: float, stop: float) -> Float[np.ndarray, "outline 2"]:
    """Trace a stroke along `spine` whose width runs from `start` to `stop`."""
    along = np.gradient(spine, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True) + 1e-9
    side = np.stack([-along[:, 1], along[:, 0]], axis=1)
    half = np.linspace(start, stop, len(spine))[:, None] / 2
    return np.concatenate([spine + side * half, (spine - side * half)[::-1]])


def moved(points: Points, x: float, y: float, scale: float = 1.0, turn: float = 0.0) -> Points:
    """Turn by `turn` radians, scale, then shift points."""
    c, s = scale * math.cos(turn), scale * math.sin(turn)
    there: Points = points @ np.array([[c, s], [-s, c]]) + (x, y)
    return there


def shrunk(points: Points, share: float) -> Points:
    """Scale an outline about its centre of mass."""
    centre = points.mean(axis=0)
    smaller: Points = (points - centre) * share + centre
    return smaller


@cache
def _circle(count: int) -> Points:
    t = np.linspace(0, math.tau, count, endpoint=False)
    return np.stack([np.cos(t), np.sin(t)], axis=1)
