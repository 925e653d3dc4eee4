"""Colours that differ as a painter's do: chosen by lightness, chroma and hue in Oklch."""

import math

import numpy as np
from jaxtyping import Float32

Colour = tuple[float, float, float]
"""Red, green, blue of sRGB, 0 to 1."""

_SCHEMES = ((0.0, 0.12), (0.0, 0.5), (0.0, 1 / 3, 2 / 3), (0.0, 0.08, 0.55), (0.0, 0.25, 0.5, 0.75))
"""Hue offsets, in turns, of palettes whose colours sit well together."""


def oklch(lightness: float, chroma: float, turn: float) -> Colour:
    """Turn a perceptual colour into sRGB; what the screen cannot show is clipped.

    Lightness runs from 0 to 1, chroma from 0 (grey) to about 0.3, the hue is given in turns.
    The matrices are those of Ottosson's Oklab.
    """
    a, b = chroma * math.cos(math.tau * turn), chroma * math.sin(math.tau * turn)
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        _encode(4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short),
        _encode(-1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short),
        _encode(-0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short),
    )


def palette(rng: np.random.Generator, count: int) -> list[Colour]:
    """Draw colours of one scheme whose neighbours in the list differ clearly in lightness."""
    scheme = _SCHEMES[int(rng.integers(len(_SCHEMES)))]
    base = rng.random()
    vivid = rng.uniform(0.02, 0.2)
    low, high = sorted((rng.uniform(0.2, 0.5), rng.uniform(0.72, 0.95)))
    light = np.linspace(low, high, count)
    order = [*range(0, count, 2), *range(1, count, 2)]
    if rng.random() < 0.5:
        order.reverse()
    return [
        oklch(
            float(light[place]) + rng.uniform(-0.04, 0.04),
            vivid * rng.uniform(0.6, 1.25),
            base + scheme[i % len(scheme)] + rng.uniform(-0.03, 0.03),
        )
        for i, place in enumerate(order)
    ]


def any_colour(rng: np.random.Generator) -> Colour:
    """Draw one colour of any hue, neither black nor white."""
    return oklch(rng.uniform(0.35, 0.85), rng.uniform(0.03, 0.2), rng.random())


def skin_tone(rng: np.random.Generator) -> Colour:
    """Draw a colour of skin; one in eight is make-believe."""
    if rng.random() < 0.12:
        return any_colour(rng)
    return oklch(rng.uniform(0.42, 0.86), rng.uniform(0.04, 0.09), rng.uniform(0.11, 0.19))


def hair_tone(rng: np.random.Generator) -> Colour:
    """Draw a colour of hair, natural or dyed."""
    if rng.random() < 0.2:
        return any_colour(rng)
    return oklch(rng.uniform(0.2, 0.75), rng.uniform(0.01, 0.1), rng.uniform(0.1, 0.25))


def near(rng: np.random.Generator, colour: Colour, spread: float) -> Colour:
    """Draw a colour around `colour`: brighter or darker, and slightly off in hue."""
    gain = 1 + rng.uniform(-spread, spread)
    red, green, blue = (
        min(1.0, max(0.0, part * gain + rng.uniform(-0.25, 0.25) * spread)) for part in colour
    )
    return red, green, blue


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """Blend two colours; `share` is that of the second."""
    red, green, blue = (
        p + (q - p) * min(1.0, max(0.0, share)) for p, q in zip(first, second, strict=True)
    )
    return red, green, blue


def darker(colour: Colour, share: float) -> Colour:
    """Take away a share of the light."""
    return mix(colour, (0.02, 0.02, 0.03), share)


def lighter(colour: Colour, share: float) -> Colour:
    """Move a share of the way to white."""
    return mix(colour, (1.0, 1.0, 0.98), share)


def table(colours: list[Colour]) -> Float32[np.ndarray, "colour rgb"]:
    """Lay colours out for indexing by arrays of numbers."""
    return np.asarray(colours, dtype=np.float32)


def flat(colour: Colour) -> Float32[np.ndarray, "1 1 rgb"]:
    """Make a picture of one pixel, to be spread over a whole one."""
    return np.asarray(colour, dtype=np.float32)[None, None]


def _encode(linear: float) -> float:
    linear = min(1.0, max(0.0, linear))
    if linear <= 0.0031308:
        return 12.92 * linear
    return float(1.055 * linear ** (1 / 2.4) - 0.055)
