"""The strongest images of every channel."""

import numpy as np
from jaxtyping import Int32, Shaped

from pipeline.scan.statistic import Arrays, LayerFacts, PeakBatch, Statistic, Wanted
from pipeline.scan.topk import by_peak, empty_topk, keys_of, peak_of
from pipeline.storage.entry import boxes_where_shown
from pipeline.storage.scan_record import AXES, EDGES, Variable


class StrongestImages(Statistic):
    """The images with the highest peaks, by (peak descending, image row ascending).

    Without negative activations only peaks above 0 count. NaN and infinity never do.
    """

    def __init__(self, facts: LayerFacts) -> None:
        self._facts = facts
        self.top = empty_topk(facts.channels, facts.ranks)

    def wants(self, rows: Int32[np.ndarray, " image"]) -> Wanted:
        """The peaks that enter, and those that tie with the last."""
        floor = self._facts.floor
        least = np.fmax(peak_of(~self.top.last_order), floor)  # NaN: a place is empty
        return lambda peaks, images: (peaks >= least) & (peaks > floor)

    def add(self, batch: PeakBatch) -> None:
        """Rank the peaks of some images."""
        keys = keys_of(~by_peak(batch.peaks), batch.rows)
        self.top.add(keys, self._facts.fires(batch.peaks), batch)

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
