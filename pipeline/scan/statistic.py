"""The interface of a statistic of a layer's peaks: all that the scan finds is one."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32, Int32, Int64, Shaped

from pipeline.network.receptive_field import Field
from pipeline.storage.scan_record import Variable

Arrays = Mapping[str, Shaped[np.ndarray, "..."]]

Wanted = Callable[[Float32[np.ndarray, "image channel"], slice], Bool[np.ndarray, "image channel"]]
"""Which peaks have a cell that may be read: of some images of a batch, and their place in it."""


@dataclass(frozen=True)
class LayerFacts:
    """The properties of a layer that its statistics depend on."""

    name: str
    channels: int
    map_size: tuple[int, int]
    """(rows, cols) of its map; 1, 1 in a fully connected layer."""
    signed: bool
    """Whether activations can be negative: no ReLU comes after the layer."""
    field: Field
    """The receptive field of its units."""
    ranks: int
    """Strongest images kept per channel."""
    classes: tuple[str, ...]
    """Class names, in the order of labels."""

    @property
    def floor(self) -> float:
        """A channel fires at peaks above it: at any number where activations are signed."""
        return -np.inf if self.signed else 0.0

    def fires(
        self, peaks: Float32[np.ndarray, "image channel"]
    ) -> Bool[np.ndarray, "image channel"]:
        """Where a channel fires; NaN and infinity do not count."""
        fires: Bool[np.ndarray, "image channel"] = np.isfinite(peaks) & (peaks > self.floor)
        return fires

    def boxes(self, cells: Int32[np.ndarray, "channel n 2"]) -> Int32[np.ndarray, "channel n 4"]:
        """The boxes of units at some cells of every channel."""
        channel = np.broadcast_to(np.arange(self.channels)[:, None], cells.shape[:2])
        return self.field.unit_boxes(channel, cells)

    def attributes(self) -> dict[str, Any]:
        """The attributes of the layer's group in the scan's store."""
        return {
            "map_size": list(self.map_size),
            "field_size": [self.field.rows.size, self.field.cols.size],
            "field_jump": [self.field.rows.jump, self.field.cols.jump],
            "field_start": [self.field.rows.start, self.field.cols.start],
            "signed": self.signed,
        }


@dataclass(frozen=True)
class PeakBatch:
    """The peaks of a batch of images in one layer."""

    peaks: Float32[np.ndarray, "image channel"]
    """The largest activation of every channel in every image; NaN where there is one."""
    rows: Int32[np.ndarray, " image"]
    """Image rows, ascending; no image comes in two batches."""
    labels: Int64[np.ndarray, " image"]
    """Positions of the images' classes; −1 for a class that the network does not have."""
    cells: Int32[np.ndarray, "image channel 2"]
    """(row, col) of each peak that some statistic wants; −1 elsewhere."""


class Statistic(ABC):
    """A statistic per channel of a layer's peaks.

    Merging is associative and commutative to the bit, so that the result depends neither on the
    number of workers nor on the order of chunks: a choice under a total order, a sum of integers.
    """

    def wants(self, rows: Int32[np.ndarray, " image"]) -> Wanted | None:
        """The peaks of a batch whose cells `add` may read; None where it reads no cells.

        It is asked once a batch, and what it gives for every few images as their maps pass.
        """
        return None

    @abstractmethod
    def add(self, batch: PeakBatch) -> None:
        """Take in the peaks of images not seen before."""

    @abstractmethod
    def merge(self, other: Any) -> None:
        """Take in the same statistic of other images."""

    @abstractmethod
    def state(self) -> dict[str, Shaped[np.ndarray, "..."]]:
        """Everything that is kept, as arrays by name."""

    @abstractmethod
    def restore(self, state: Arrays) -> None:
        """Replace everything that is kept by what `state` gave."""

    @abstractmethod
    def result(self) -> dict[str, Variable]:
        """The arrays of the scan's store, and their coordinates, by name."""

    def limits(self) -> dict[str, Shaped[np.ndarray, "..."]]:
        """What no later peak needs to be looked at for; empty where every peak counts."""
        return {}

    def set_limits(self, limits: Arrays) -> None:
        """Leave out peaks beyond the limits of a statistic that this one will be merged into."""
        assert not limits
