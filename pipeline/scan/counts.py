"""Counts of images: in how many a channel fires, and in how many its peak is not a number."""

import numpy as np
from jaxtyping import Shaped

from pipeline.scan.statistic import Arrays, LayerFacts, PeakBatch, Statistic
from pipeline.storage.scan_record import Variable


class ImageCounts(Statistic):
    """Images with a peak above 0, and those whose peak is NaN or infinite."""

    def __init__(self, facts: LayerFacts) -> None:
        self.fired = np.zeros(facts.channels, np.int64)
        self.unranked = np.zeros(facts.channels, np.int64)
        """Images whose peak no other statistic takes in."""

    def add(self, batch: PeakBatch) -> None:
        """Count some images."""
        finite = np.isfinite(batch.peaks)
        self.fired += np.count_nonzero((batch.peaks > 0) & finite, axis=0)
        self.unranked += np.count_nonzero(~finite, axis=0)

    def merge(self, other: "ImageCounts") -> None:
        """Add the counts of other images."""
        self.fired += other.fired
        self.unranked += other.unranked

    def state(self) -> dict[str, Shaped[np.ndarray, "..."]]:
        """Both counts."""
        return {"fired": self.fired, "unranked": self.unranked}

    def restore(self, state: Arrays) -> None:
        """Replace both."""
        self.fired, self.unranked = state["fired"], state["unranked"]

    def result(self) -> dict[str, Variable]:
        """How often each channel fires."""
        return {"fired": Variable(self.fired, ("channel",))}
