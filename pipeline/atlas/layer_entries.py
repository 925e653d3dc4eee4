"""The entries of one layer as arrays, in the order in which they are worked on."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int32, Int64

from pipeline.storage.scan_record import ExampleRecord, ScanRecord


@dataclass(frozen=True)
class LayerEntries:
    """Entries of one layer, ordered by (image, channel, rank)."""

    channel: Int64[np.ndarray, " entry"]
    rank: Int64[np.ndarray, " entry"]
    """0 is the strongest."""
    image: Int32[np.ndarray, " entry"]
    """Image row in the validation split."""
    cell: Int32[np.ndarray, "entry 2"]
    """(row, col) on the layer's map."""
    activation: Float32[np.ndarray, " entry"]
    """The peak that the scan stored."""

    def within(self, first: int, stop: int) -> "LayerEntries":
        """Those of the image rows from `first` up to `stop`."""
        part = slice(*np.searchsorted(self.image, [first, stop]))
        return LayerEntries(
            self.channel[part],
            self.rank[part],
            self.image[part],
            self.cell[part],
            self.activation[part],
        )

    def __len__(self) -> int:
        return len(self.channel)


def entries_of(record: ScanRecord, ranks: int | None = None) -> LayerEntries:
    """The entries of one layer that are not missing; of the first ranks alone where said so."""
    return present_entries(record.image[:, :ranks], record.cell, record.activation)


def examples_of(examples: ExampleRecord) -> LayerEntries:
    """The examples of one layer that are not missing; an example's place is its rank."""
    return present_entries(
        examples.example_image, examples.example_cell, examples.example_activation
    )


def present_entries(
    image: Int32[np.ndarray, "channel shown"],
    cell: Int32[np.ndarray, "channel rank 2"],
    activation: Float32[np.ndarray, "channel rank"],
) -> LayerEntries:
    """The entries that are not missing, out of a layer's arrays."""
    channel, rank = np.nonzero(image >= 0)
    order = np.argsort(image[channel, rank], kind="stable")
    at = (channel[order], rank[order])
    return LayerEntries(*at, image[at], cell[at], activation[at])
