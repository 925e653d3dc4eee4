"""Histograms of peaks whose range grows as peaks come, and whose counts stay exact."""

from dataclasses import dataclass
from math import frexp

import numpy as np
from jaxtyping import Float32, Int64

BINS = 64
SMALLEST_EXPONENT = -20
"""The range of a histogram of nothing but zeros: below 2 ** −20."""


@dataclass
class Histogram:
    """How many peaks of every channel of a layer fall in each of 64 equal bins.

    The bins divide [0, 2 ** exponent), or [−2 ** exponent, 2 ** exponent) if `signed`. The range
    doubles when a peak exceeds it, and neighbouring bins are added up. Halving a bin's number
    commutes with rounding down, so the counts are those of bins chosen in hindsight.
    """

    counts: Int64[np.ndarray, "channel bin"]
    exponent: int
    signed: bool

    @property
    def edges(self) -> tuple[float, ...]:
        """Edges of the bins, the same for all channels."""
        low = -1.0 if self.signed else 0.0
        return tuple(np.ldexp(np.linspace(low, 1.0, BINS + 1), self.exponent).tolist())

    def add(self, peaks: Float32[np.ndarray, "image channel"]) -> None:
        """Count peaks; NaN and infinity are left out. Peaks are not negative unless `signed`."""
        image, channel = np.nonzero(np.isfinite(peaks))
        values = peaks[image, channel]
        if not len(values):
            return
        self._reach(frexp(np.abs(values).max())[1])
        half = BINS // 2 if self.signed else 0
        bins = np.floor(np.ldexp(values, _bits(self.signed) - self.exponent)).astype(int) + half
        flat = np.bincount(channel * BINS + bins, minlength=self.counts.size)
        self.counts += flat.reshape(self.counts.shape)

    def merge(self, other: "Histogram") -> None:
        """Add the counts of other peaks."""
        self._reach(other.exponent)
        self.counts += _widened(other.counts, self.exponent - other.exponent, self.signed)

    def _reach(self, exponent: int) -> None:
        if exponent > self.exponent:
            self.counts = _widened(self.counts, exponent - self.exponent, self.signed)
            self.exponent = exponent


def empty_histogram(channels: int, *, signed: bool) -> Histogram:
    """A histogram that has counted nothing."""
    return Histogram(np.zeros((channels, BINS), np.int64), SMALLEST_EXPONENT, signed)


def _bits(signed: bool) -> int:
    """log2 of the bins between 0 and the end of the range."""
    return BINS.bit_length() - (2 if signed else 1)


def _widened(
    counts: Int64[np.ndarray, "channel bin"], doublings: int, signed: bool
) -> Int64[np.ndarray, "channel bin"]:
    """The same counts over a range doubled so many times."""
    if not doublings:
        return counts
    half = BINS // 2 if signed else 0
    number = np.arange(BINS) - half
    target = (number >> min(doublings, BINS.bit_length())) + half
    wide = np.zeros_like(counts)
    np.add.at(wide.T, target, counts.T)
    return wide
