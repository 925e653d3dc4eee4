"""Histograms of peaks whose range grows as peaks come, and whose counts stay exact."""

from math import frexp

import numpy as np
from jaxtyping import Int64, Shaped

from pipeline.scan.statistic import Arrays, LayerFacts, PeakBatch, Statistic
from pipeline.storage.scan_record import Variable

BINS = 64
SMALLEST_EXPONENT = -20
"""The range of a histogram of nothing but zeros: below 2 ** −20."""


class Histogram(Statistic):
    """Counts of the peaks of every channel of a layer in each of 64 equal bins.

    The bins divide [0, 2 ** exponent), or [−2 ** exponent, 2 ** exponent) if `signed`. The range
    doubles when a peak exceeds it, and neighbouring bins are added up. Halving a bin's number
    commutes with rounding down, so the counts are those of bins chosen in hindsight.
    """

    def __init__(self, facts: LayerFacts) -> None:
        self.counts = np.zeros((facts.channels, BINS), np.int64)
        self.exponent = SMALLEST_EXPONENT
        self.signed = facts.signed

    @property
    def edges(self) -> tuple[float, ...]:
        """Edges of the bins, the same for all channels."""
        low = -1.0 if self.signed else 0.0
        return tuple(np.ldexp(np.linspace(low, 1.0, BINS + 1), self.exponent).tolist())

    def add(self, batch: PeakBatch) -> None:
        """Count peaks; NaN and infinity are left out. Peaks are not negative unless `signed`."""
        peaks = batch.peaks
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

    def state(self) -> dict[str, Shaped[np.ndarray, "..."]]:
        """The counts and the range."""
        return {"counts": self.counts, "exponent": np.array(self.exponent)}

    def restore(self, state: Arrays) -> None:
        """Replace both."""
        self.counts, self.exponent = state["counts"], int(state["exponent"])

    def result(self) -> dict[str, Variable]:
        """The counts; the lower edge of each bin is its coordinate, all edges an attribute."""
        edges = self.edges
        return {
            "histogram": Variable(self.counts, ("channel", "bin"), {"edges": list(edges)}),
            "bin": Variable(np.array(edges[:-1]), ("bin",)),
        }

    def _reach(self, exponent: int) -> None:
        if exponent > self.exponent:
            self.counts = _widened(self.counts, exponent - self.exponent, self.signed)
            self.exponent = exponent


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
