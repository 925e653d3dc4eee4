"""The first few images of every channel, under any order of an image's peaks."""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float32, Int32, Int64, Shaped, UInt32, UInt64

from pipeline.scan.statistic import Arrays, PeakBatch

EMPTY = np.uint64(2**64 - 1)
"""The key of a place that no image has taken: it comes after every image."""

Keys = UInt64[np.ndarray, "image channel"]
"""The smaller, the earlier. The image row in the low half makes the order total."""


@dataclass
class TopK:
    """The images with the smallest keys, for every channel of a layer.

    A key is unique within a channel, so the result depends on no order in which images come.
    """

    key: UInt64[np.ndarray, "channel rank"]
    """Ascending; `EMPTY` where there are too few images."""
    peak: Float32[np.ndarray, "channel rank"]
    cell: Int32[np.ndarray, "channel rank 2"]
    """(row, col) of the peak; −1 at an empty place."""
    limit: UInt64[np.ndarray, " channel"] = field(init=False)
    """Keys from here on enter no top that this one will be merged into."""

    def __post_init__(self) -> None:
        self.limit = np.full(len(self.key), EMPTY)

    @property
    def image(self) -> Int32[np.ndarray, "channel rank"]:
        """Image rows; −1 at an empty place."""
        rows = (self.key & np.uint64(2**32 - 1)).astype(np.int64)
        return np.where(self.key == EMPTY, -1, rows).astype(np.int32)

    @property
    def last(self) -> UInt64[np.ndarray, " channel"]:
        """Only smaller keys enter."""
        last: UInt64[np.ndarray, " channel"] = np.minimum(self.key[:, -1], self.limit)
        return last

    @property
    def last_order(self) -> UInt32[np.ndarray, " channel"]:
        """No image of a larger order enters."""
        return (self.last >> np.uint64(32)).astype(np.uint32)

    def add(
        self, keys: Keys, eligible: Bool[np.ndarray, "image channel"], batch: PeakBatch
    ) -> None:
        """Take in images of a batch; the cells of those that enter must be known."""
        entering = eligible & (keys < self.last)
        channel = np.flatnonzero(entering.any(axis=0))
        if not len(channel):
            return
        entering = entering[:, channel]
        new = np.where(entering, keys[:, channel], EMPTY).T
        image = new.argsort(axis=1)[:, : entering.sum(axis=0).max()]
        at = (image, channel[:, None])
        self._insert(channel, np.take_along_axis(new, image, 1), batch.peaks[at], batch.cells[at])

    def merge(self, other: "TopK") -> None:
        """Take in what was kept of other images."""
        channel = (other.key[:, 0] < self.key[:, -1]).nonzero()[0]
        if len(channel):
            entering = other.key[channel] < self.key[channel, -1:]
            at = (channel, slice(entering.sum(axis=1).max()))
            self._insert(channel, other.key[at], other.peak[at], other.cell[at])

    def state(self) -> dict[str, Shaped[np.ndarray, "..."]]:
        """The arrays, by name."""
        return {"key": self.key, "peak": self.peak, "cell": self.cell}

    def restore(self, state: Arrays) -> None:
        """Replace the arrays."""
        self.key, self.peak, self.cell = state["key"], state["peak"], state["cell"]

    def _insert(
        self,
        channel: Int64[np.ndarray, " line"],
        key: UInt64[np.ndarray, "line new"],
        peak: Float32[np.ndarray, "line new"],
        cell: Int32[np.ndarray, "line new 2"],
    ) -> None:
        """Put images of some channels at the places of their keys, which ascend."""
        # A stable sort merges two sorted runs in one pass, and takes our empty places first: what
        # peak and cell lie at an empty key that is new does not matter.
        keys = np.concatenate([self.key[channel], key], axis=1)
        best = keys.argsort(axis=1, kind="stable")[:, : self.key.shape[1]]
        best += np.arange(len(channel))[:, None] * keys.shape[1]
        for kept, new in ((self.key, key), (self.peak, peak), (self.cell, cell)):
            both = np.concatenate([kept[channel], new], axis=1)
            kept[channel] = both.reshape(-1, *both.shape[2:]).take(best, axis=0)


def empty_topk(channels: int, ranks: int) -> TopK:
    """The first of no images."""
    return TopK(
        np.full((channels, ranks), EMPTY),
        np.zeros((channels, ranks), np.float32),
        np.full((channels, ranks, 2), -1, np.int32),
    )


def keys_of(
    order: UInt32[np.ndarray, "image channel"],
    rows: Int32[np.ndarray, " image"],
) -> Keys:
    """Keys that sort by an order, then by image row."""
    return (order.astype(np.uint64) << np.uint64(32)) | rows.astype(np.uint64)[:, None]


def by_peak(
    peaks: Float32[np.ndarray, "image channel"],
) -> UInt32[np.ndarray, "image channel"]:
    """Numbers in the order of the peaks, weakest first. −0 equals 0."""
    bits = (peaks + np.float32(0)).view(np.uint32)  # −0 + 0 is 0: two zeros must tie
    sign = np.uint32(1 << 31)
    # The bits of positive floats ascend with them; those of negative ones descend.
    return np.where(bits & sign, ~bits, bits | sign)


def peak_of(order: UInt32[np.ndarray, " channel"]) -> Float32[np.ndarray, " channel"]:
    """The peaks that `by_peak` gave numbers; NaN for the smallest and the largest."""
    sign = np.uint32(1 << 31)
    return np.where(order & sign, order ^ sign, ~order).view(np.float32)
