"""Randomness with the statistics of nature: fields whose power falls with frequency."""

from functools import cache

import numpy as np
from jaxtyping import Float32
from PIL import Image

from demo.layer import Field

_SIDE = 192


class Tile:
    """A square of noise that repeats seamlessly, read at any coordinates; one unit is one side."""

    def __init__(self, values: Float32[np.ndarray, "side side"]) -> None:
        self.values = values

    def at(self, u: Field, v: Field) -> Field:
        """Read the noise at (u, v), between its samples linearly."""
        side = self.values.shape[0]
        x, y = u * side, v * side
        left, top = np.floor(x), np.floor(y)
        fx, fy = x - left, y - top
        column, row = left.astype(np.int32) % side, top.astype(np.int32) % side
        right, below = (column + 1) % side, (row + 1) % side
        flat = self.values.ravel()
        row *= side
        below *= side
        upper = flat[row + column] * (1 - fx) + flat[row + right] * fx
        lower = flat[below + column] * (1 - fx) + flat[below + right] * fx
        return np.asarray(upper * (1 - fy) + lower * fy, dtype=np.float32)


def tile(rng: np.random.Generator, falloff: float = 2.0, side: int = _SIDE) -> Tile:
    """Draw a tile of noise with power 1/frequency**falloff, mean 0 and standard deviation 1."""
    return Tile(_coloured(rng, side, side, falloff, 1.0))


def pink(
    rng: np.random.Generator, height: int, width: int, falloff: float = 2.0, stretch: float = 1.0
) -> Field:
    """Draw a field of 1/frequency**falloff power, mean 0, deviation 1.

    With `stretch` above 1 its features are longer along the rows by that factor: fibres.
    """
    return _coloured(rng, _even(height), _even(width), falloff, stretch)[:height, :width]


def smooth(rng: np.random.Generator, height: int, width: int, cells: int) -> Field:
    """Draw a soft field, about -1 to 1, that changes over 1/cells of the longer side."""
    across = max(2, round(cells * width / max(height, width)))
    down = max(2, round(cells * height / max(height, width)))
    grid = rng.uniform(-1, 1, (down + 3, across + 3)).astype(np.float32)
    fine = Image.fromarray(grid).resize(
        (width, height), Image.Resampling.BICUBIC, box=(1, 1, across + 2, down + 2)
    )
    return np.asarray(fine, dtype=np.float32)


def _coloured(
    rng: np.random.Generator, height: int, width: int, falloff: float, stretch: float
) -> Field:
    shape = (height, width // 2 + 1)
    spectrum = np.empty(shape, dtype=np.complex64)
    spectrum.real = rng.random(shape, dtype=np.float32)
    spectrum.imag = rng.random(shape, dtype=np.float32)
    spectrum -= np.complex64(0.5 + 0.5j)
    spectrum *= _amplitude(height, width, round(falloff, 1), round(stretch, 1))
    field = np.fft.irfft2(spectrum, s=(height, width)).astype(np.float32)
    field -= field.mean()
    field /= field.std() + np.float32(1e-12)
    return np.asarray(field)


@cache
def _amplitude(height: int, width: int, falloff: float, stretch: float) -> Field:
    rows = np.fft.fftfreq(height)[:, None] * height
    cols = np.fft.rfftfreq(width)[None, :] * width * stretch
    power = (rows**2 + cols**2).astype(np.float32)
    power[0, 0] = np.inf
    return np.asarray(power ** np.float32(-falloff / 4), dtype=np.float32)


def _even(length: int) -> int:
    return -(-length // 32) * 32
