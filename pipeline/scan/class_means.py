"""Mean peaks by class, summed in whole numbers so that no order of adding changes a bit."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64, Shaped

from pipeline.scan.statistic import Arrays, LayerFacts, PeakBatch, Statistic
from pipeline.storage.scan_record import Variable

# A sum of floats depends on its order, and chunks arrive in any. Whole units do not round: a peak
# takes 42 + 30 bits, so many as 2 ** 31 images make it 103, more than a number of 64 bits holds.
# In two words the high one takes 103 - 40 = 63, which still leaves its sign.
UNITS_PER_ONE = 2**30
"""Sums are kept in multiples of 2 ** −30 of an activation."""
LOW_BITS = 40
"""A sum is high × 2 ** 40 + low units, with 0 ≤ low < 2 ** 40: one number has one form."""
LARGEST = 2.0**42
"""A larger peak counts as this: of as many images as there are image rows, no sum overflows."""


@dataclass
class ClassSums:
    """Sums of peaks over the images of each class met so far."""

    labels: Int64[np.ndarray, " class"]
    """Classes met, ascending."""
    images: Int64[np.ndarray, " class"]
    """Images of each of them."""
    sums: Int64[np.ndarray, "2 class channel"]
    """Sums of their peaks: the high parts, then the low ones."""

    def add(
        self, peaks: Float32[np.ndarray, "image channel"], labels: Int64[np.ndarray, " image"]
    ) -> None:
        """Add images of labels that are not negative; a peak that is not finite counts 0."""
        known = labels >= 0
        finite = np.where(np.isfinite(peaks), peaks, 0)[known].clip(-LARGEST, LARGEST)
        units = np.rint(finite.astype(np.float64) * UNITS_PER_ONE)
        high = np.floor(units / 2**LOW_BITS)
        parts = (high, units - high * 2**LOW_BITS)
        met, place = np.unique(labels[known], return_inverse=True)
        sums = np.zeros((2, len(met), peaks.shape[1]), np.int64)
        for kept, part in zip(sums, parts, strict=True):
            np.add.at(kept, place, part.astype(np.int64))
        self.merge(ClassSums(met, np.bincount(place, minlength=len(met)), sums))

    def merge(self, other: "ClassSums") -> None:
        """Add the sums over other images."""
        at = self._places(other.labels)
        self.images[at] += other.images
        sums = self.sums.take(at, axis=1) + other.sums
        # Low parts are below 2 ** 40 each: their sum carries at most 1, and no float rounds it.
        sums[0] += sums[1] >> LOW_BITS
        sums[1] &= 2**LOW_BITS - 1
        self.sums[:, at] = sums

    def means(self, classes: int) -> Float32[np.ndarray, "channel class"]:
        """Mean peaks for classes 0, 1, …; NaN for one without images."""
        high, low = self.sums.astype(np.float64)
        means = np.full((high.shape[1], classes), np.nan, np.float32)
        sums = (high * 2**LOW_BITS + low) / UNITS_PER_ONE
        means[:, self.labels] = (sums / self.images[:, None]).T
        return means

    def _places(self, labels: Int64[np.ndarray, " other"]) -> Int64[np.ndarray, " other"]:
        """Where some classes are; room is made for those that are new."""
        at = self.labels.searchsorted(labels)
        if len(self.labels) and (self.labels.take(at, mode="clip") == labels).all():
            return at
        met = np.union1d(self.labels, labels)
        grown = empty_class_sums(self.sums.shape[2], met)
        at = met.searchsorted(self.labels)
        grown.images[at], grown.sums[:, at] = self.images, self.sums
        self.labels, self.images, self.sums = grown.labels, grown.images, grown.sums
        return met.searchsorted(labels)


def empty_class_sums(channels: int, labels: Int64[np.ndarray, " class"] | None = None) -> ClassSums:
    """Sums over no images."""
    labels = np.empty(0, np.int64) if labels is None else labels
    zeros = np.zeros((2, len(labels), channels), np.int64)
    return ClassSums(labels, np.zeros(len(labels), np.int64), zeros)


class ClassMeans(Statistic):
    """The mean of each channel's peaks over the images of each class."""

    def __init__(self, facts: LayerFacts) -> None:
        self._classes = facts.classes
        self.sums = empty_class_sums(facts.channels)

    def add(self, batch: PeakBatch) -> None:
        """Add the peaks of some images."""
        self.sums.add(batch.peaks, batch.labels)

    def merge(self, other: "ClassMeans") -> None:
        """Add the sums over other images."""
        self.sums.merge(other.sums)

    def state(self) -> dict[str, Shaped[np.ndarray, "..."]]:
        """The sums of the classes met."""
        return {
            "labels": self.sums.labels,
            "images": self.sums.images,
            "sums": self.sums.sums,
        }

    def restore(self, state: Arrays) -> None:
        """Replace them."""
        self.sums = ClassSums(state["labels"], state["images"], state["sums"])

    def result(self) -> dict[str, Variable]:
        """The means, with the class names as their coordinate."""
        means = self.sums.means(len(self._classes))
        return {
            "mean_peak_by_class": Variable(means, ("channel", "class")),
            "class": Variable(np.array(self._classes, np.str_), ("class",)),
        }
