"""Measures of spectra: how a filter's energy lies over frequency, and the trace of a stride."""

import numpy as np
from jaxtyping import Float, Float64

SPECTRUM_PX = 128
"""Side of the square on which spectra are taken, zeros around the picture."""
BINS = 10
NYQUIST = 0.5
"""Cycles per pixel: the highest frequency along an axis."""
NEAR = 1 / 8
"""Of the fold-over frequency: what counts as near it. The neighbourhood on either side is twice as
wide and begins where that ends."""
STRIDES = 11
"""That a picture must span at least: in fewer, the peak is wider than its neighbourhood.
Second-layer projections span 13.5 strides in ZFNet and 12.75 in AlexNet."""

Pictures = Float[np.ndarray, "picture row col colour"]


def radial_shares(pictures: Pictures) -> Float64[np.ndarray, "picture bin"]:
    """The shares of each picture's energy by frequency in any direction, in ten equal bins.

    Bins go from 0 to 0.5 cycles per pixel; the last one takes the corners beyond too. A picture of
    zeros has 0 everywhere.
    """
    power = _power(pictures)
    rows, cols = _frequencies(power)
    place = np.minimum(np.hypot(rows, cols) * (BINS / NYQUIST), BINS - 1).astype(int)
    energy = np.stack([power[:, place == b].sum(axis=1) for b in range(BINS)], axis=1)
    whole = energy.sum(axis=1, keepdims=True)
    shares = np.zeros_like(energy)
    np.divide(energy, whole, out=shares, where=whole > 0)
    return shares


def white_shares() -> Float64[np.ndarray, " bin"]:
    """The same of white noise, on average: the areas of the bins."""
    spike = np.ones((1, 1, 1, 1))  # its spectrum is flat
    shares: Float64[np.ndarray, " bin"] = radial_shares(spike)[0]
    return shares


def fold_over(stride: int) -> float:
    """The highest frequency that a map of this stride holds, in cycles per pixel of the input."""
    return NYQUIST / stride


def aliasing(pictures: Pictures, stride: int) -> Float64[np.ndarray, " picture"]:
    """The energy at the fold-over frequency of a stride against that of its neighbourhood.

    The mean power near that frequency, along rows or columns, divided by the geometric mean of the
    mean powers just below and just above: 1 for a spectrum that falls evenly, large where the
    stride's grid shows. NaN where there is no energy, for a stride of 1, and for pictures of fewer
    than eleven strides.
    """
    unknown = np.full(len(pictures), np.nan)
    if stride < 2 or min(pictures.shape[1:3]) < STRIDES * stride:
        return unknown
    faded = pictures * np.hanning(pictures.shape[1] + 2)[1:-1, None, None]
    faded = faded * np.hanning(pictures.shape[2] + 2)[1:-1, None]
    power = _power(faded)
    rows, cols = _frequencies(power)
    away = np.maximum(np.abs(rows), np.abs(cols)) / fold_over(stride) - 1
    near, below, above = (
        power[:, band].mean(axis=1)
        for band in (
            np.abs(away) <= NEAR,
            (away < -NEAR) & (away >= -3 * NEAR),
            (away > NEAR) & (away <= 3 * NEAR),
        )
    )
    around = np.sqrt(below * above)
    np.divide(near, around, out=unknown, where=around > 0)
    return unknown


def _power(pictures: Pictures) -> Float64[np.ndarray, "picture side side"]:
    """Power spectra, summed over colours."""
    side = max(SPECTRUM_PX, *pictures.shape[1:3])
    spectrum = np.fft.fft2(pictures.astype(np.float64), s=(side, side), axes=(1, 2))
    power: Float64[np.ndarray, "picture side side"] = (np.abs(spectrum) ** 2).sum(axis=3)
    return power


def _frequencies(
    power: Float64[np.ndarray, "picture side side"],
) -> tuple[Float64[np.ndarray, "side 1"], Float64[np.ndarray, "1 side"]]:
    frequency = np.fft.fftfreq(power.shape[1])
    return frequency[:, None], frequency[None, :]
