"""The strongest images of every channel."""

import numpy as np
from jaxtyping import Bool, Float32, Int32, Shaped

from pipeline.scan.statistic import Arrays, LayerFacts, PeakBatch, Statistic
from pipeline.scan.topk import Keys, by_peak, empty_topk, keys_of
from pipeline.storage.entry import boxes_where_shown
from pipeline.storage.scan_record import AXES, EDGES, Variable


class StrongestImages(Statistic):
    """The images with the highest peaks, by (peak descending, image row ascending).

    Without negative activations only peaks above 0 count. NaN and infinity never do.
    """

    def __init__(self, facts: LayerFacts) -> None:
        self._facts = facts
        self.top = empty_topk(facts.channels, facts.ranks)

    def wants(
        self, peaks: Float32[np.ndarray, "image channel"], rows: Int32[np.ndarray, " image"]
    ) -> Bool[np.ndarray, "image channel"]:
        """The peaks that enter."""
        return self.top.enters(self._keys(peaks, rows))

    def add(self, batch: PeakBatch) -> None:
        """Rank the peaks of some images."""
        self.top.add(self._keys(batch.peaks, batch.rows), batch)

    def merge(self, other: "StrongestImages") -> None:
        """Rank those of other images among them."""
        self.top.merge(other.top)

    def state(self) -> dict[str, Shaped[np.ndarray, "..."]]:
        """The top images."""
        return self.top.state()

    def restore(self, state: Arrays) -> None:
        """Replace them."""
        self.top.restore(state)

    def limits(self) -> dict[str, Shaped[np.ndarray, "..."]]:
        """The last image of each channel."""
        return {"top": self.top.key[:, -1].copy()}

    def set_limits(self, limits: Arrays) -> None:
        """Leave out peaks that come after."""
        self.top.limit = limits["top"]

    def result(self) -> dict[str, Variable]:
        """The entries; a missing one has image and cell −1, and zeros elsewhere."""
        image = self.top.image
        box = boxes_where_shown(image, self._facts.boxes(self.top.cell))
        entry = ("channel", "rank")
        return {
            "activation": Variable(self.top.peak, entry),
            "image": Variable(image, entry),
            "cell": Variable(self.top.cell, (*entry, "axis")),
            "box": Variable(box, (*entry, "edge")),
            "channel": Variable(np.arange(self._facts.channels, dtype=np.int32), ("channel",)),
            "rank": Variable(np.arange(self._facts.ranks, dtype=np.int32), ("rank",)),
            "axis": Variable(np.array(AXES), ("axis",)),
            "edge": Variable(np.array(EDGES), ("edge",)),
        }

    def _keys(
        self, peaks: Float32[np.ndarray, "image channel"], rows: Int32[np.ndarray, " image"]
    ) -> Keys:
        eligible = np.isfinite(peaks) & (self._facts.signed | (peaks > 0))
        return keys_of(~by_peak(peaks), rows, eligible)
