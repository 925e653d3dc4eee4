"""The strongest images of every channel."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int32, Int64

NO_IMAGE = np.iinfo(np.int32).max
"""The image row of a missing entry while scanning: it comes after every image."""


@dataclass
class Top:
    """The images with the highest peaks, for every channel of a layer.

    Entries are ordered by (activation descending, image row ascending), a total order since an
    image enters a channel once; so the result does not depend on the order in which entries come.
    """

    activation: Float32[np.ndarray, "channel rank"]
    """Peaks, strongest first; −inf where an entry is missing."""
    image: Int32[np.ndarray, "channel rank"]
    """Image rows; `NO_IMAGE` where an entry is missing."""
    cell: Int32[np.ndarray, "channel rank 2"]
    """(row, col) on the layer's map; −1 where an entry is missing."""

    def add(self, entries: "Entries") -> None:
        """Take in entries of images not seen before."""
        if not len(entries.channel):
            return
        entries = entries.by_channel()
        touched, first, counts = np.unique(entries.channel, return_index=True, return_counts=True)
        ranks = self.activation.shape[1]
        line = np.repeat(np.arange(len(touched)), counts)
        at = (line, ranks + np.arange(len(line)) - np.repeat(first, counts))
        grown = _widen(self, touched, int(counts.max()))
        grown.activation[at] = entries.activation
        grown.image[at] = entries.image
        grown.cell[at] = entries.cell
        best = np.lexsort((grown.image, -grown.activation))[:, :ranks]
        self.activation[touched] = np.take_along_axis(grown.activation, best, 1)
        self.image[touched] = np.take_along_axis(grown.image, best, 1)
        self.cell[touched] = np.take_along_axis(grown.cell, best[..., None], 1)

    def merge(self, other: "Top") -> None:
        """Take in the entries found among other images."""
        enters = (other.activation >= self.activation[:, -1:]) & (other.image != NO_IMAGE)
        channel, rank = np.nonzero(enters)
        at = (channel, rank)
        self.add(Entries(channel, other.activation[at], other.image[at], other.cell[at]))


@dataclass(frozen=True)
class Entries:
    """Single peaks that may enter a top, in any order."""

    channel: Int64[np.ndarray, " entry"]
    activation: Float32[np.ndarray, " entry"]
    image: Int32[np.ndarray, " entry"]
    cell: Int32[np.ndarray, "entry 2"]

    def by_channel(self) -> "Entries":
        """The same, sorted by channel."""
        order = np.argsort(self.channel, kind="stable")
        return Entries(
            self.channel[order], self.activation[order], self.image[order], self.cell[order]
        )


def all_entries(parts: Sequence[Entries]) -> Entries:
    """The entries of all parts."""
    return Entries(
        np.concatenate([part.channel for part in parts]),
        np.concatenate([part.activation for part in parts]),
        np.concatenate([part.image for part in parts]),
        np.concatenate([part.cell for part in parts]),
    )


def empty_top(channels: int, ranks: int) -> Top:
    """A top with every entry missing."""
    return Top(
        np.full((channels, ranks), -np.inf, np.float32),
        np.full((channels, ranks), NO_IMAGE, np.int32),
        np.full((channels, ranks, 2), -1, np.int32),
    )


def _widen(top: Top, channels: Int64[np.ndarray, " line"], room: int) -> Top:
    """Copies of some channels' entries, with missing ones appended."""
    more = empty_top(len(channels), room)
    return Top(
        np.concatenate([top.activation[channels], more.activation], axis=1),
        np.concatenate([top.image[channels], more.image], axis=1),
        np.concatenate([top.cell[channels], more.cell], axis=1),
    )
