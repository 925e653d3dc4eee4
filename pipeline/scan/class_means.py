"""Mean peaks by class, summed in whole numbers so that no order of adding changes a bit."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64

from pipeline.errors import AtlasError

UNITS_PER_ONE = 2**30
"""Sums are kept in multiples of 2 ** −30 of an activation."""
LIMIT = 2**62


@dataclass
class ClassMeans:
    """Sums of peaks over the images of each class met so far."""

    labels: Int64[np.ndarray, " class"]
    """Classes met, ascending."""
    images: Int64[np.ndarray, " class"]
    """Images of each of them."""
    sums: Int64[np.ndarray, "class channel"]
    """Sums of their peaks, in multiples of 2 ** −30."""

    def add(
        self, peaks: Float32[np.ndarray, "image channel"], labels: Int64[np.ndarray, " image"]
    ) -> None:
        """Add images of labels that are not negative; a peak that is no finite number counts 0."""
        known = labels >= 0
        finite = np.where(np.isfinite(peaks), peaks, 0)[known]
        if (np.abs(finite).sum(axis=0, dtype=np.float64) >= LIMIT / UNITS_PER_ONE).any():
            raise _too_large()
        units = np.rint(finite.astype(np.float64) * UNITS_PER_ONE).astype(np.int64)
        met, place = np.unique(labels[known], return_inverse=True)
        sums = np.zeros((len(met), peaks.shape[1]), np.int64)
        np.add.at(sums, place, units)
        self.merge(ClassMeans(met, np.bincount(place, minlength=len(met)), sums))

    def merge(self, other: "ClassMeans") -> None:
        """Add the sums over other images. Raises AtlasError before a sum overflows."""
        self._meet(other.labels)
        at = np.searchsorted(self.labels, other.labels)
        self.images[at] += other.images
        self.sums[at] += other.sums
        if (np.abs(self.sums[at]) >= LIMIT).any():
            raise _too_large()

    def means(self, classes: int) -> Float32[np.ndarray, "channel class"]:
        """Mean peaks for classes 0, 1, …; NaN for one without images."""
        means = np.full((self.sums.shape[1], classes), np.nan, np.float32)
        means[:, self.labels] = (self.sums / UNITS_PER_ONE / self.images[:, None]).T
        return means

    def _meet(self, labels: Int64[np.ndarray, " other"]) -> None:
        """Make room for classes that are new."""
        at = np.searchsorted(self.labels, labels)
        if len(self.labels) and np.array_equal(self.labels.take(at, mode="clip"), labels):
            return
        met = np.union1d(self.labels, labels)
        grown = empty_class_means(self.sums.shape[1], met)
        at = np.searchsorted(met, self.labels)
        grown.images[at], grown.sums[at] = self.images, self.sums
        self.labels, self.images, self.sums = grown.labels, grown.images, grown.sums


def empty_class_means(
    channels: int, labels: Int64[np.ndarray, " class"] | None = None
) -> ClassMeans:
    """Sums over no images."""
    labels = np.empty(0, np.int64) if labels is None else labels
    zeros = np.zeros((len(labels), channels), np.int64)
    return ClassMeans(labels, np.zeros(len(labels), np.int64), zeros)


def _too_large() -> AtlasError:
    return AtlasError(
        "Peaks are too large to be averaged: their sum over a class passes 2 ** 32.",
        fix="Look at the training history; the network has probably diverged.",
    )
