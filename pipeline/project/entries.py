"""Which units are projected: the entries of the scan, cut into chunks of whole images."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int32, Int64

from pipeline.dataset.manifest import ImageRow
from pipeline.storage.stores import ScanRecord

CHUNK_IMAGES = 128
"""Images in a chunk at most: their inputs, 0.6 MB each at 224 pixels, are in memory together."""
CHUNK_BYTES = 16 << 20
"""A chunk is closed by the image that brings its results to this size."""


@dataclass(frozen=True)
class Entries:
    """Entries of one layer, ordered by (image, channel, rank)."""

    place: Int64[np.ndarray, " entry"]
    """Where the result belongs: channel × ranks + rank."""
    channel: Int64[np.ndarray, " entry"]
    """The unit's channel."""
    image: Int32[np.ndarray, " entry"]
    """Image row in the validation split."""
    cell: Int32[np.ndarray, "entry 2"]
    """(row, col) on the layer's map."""
    activation: Float32[np.ndarray, " entry"]
    """The peak that the scan stored."""

    def within(self, first: int, stop: int) -> "Entries":
        """Those of the image rows from `first` up to `stop`."""
        part = slice(*np.searchsorted(self.image, [first, stop]))
        return Entries(
            self.place[part],
            self.channel[part],
            self.image[part],
            self.cell[part],
            self.activation[part],
        )

    def __len__(self) -> int:
        return len(self.place)


Chunk = Mapping[str, Entries]
"""Entries of some consecutive image rows, by layer; layers without any are left out."""


def listed_entries(record: ScanRecord) -> Entries:
    """The entries of one layer that are not missing."""
    ranks = record.image.shape[1]
    channel, rank = np.nonzero(record.image >= 0)
    order = np.argsort(record.image[channel, rank], kind="stable")
    channel, rank = channel[order], rank[order]
    return Entries(
        channel * ranks + rank,
        channel,
        record.image[channel, rank],
        record.cell[channel, rank],
        record.activation[channel, rank],
    )


def chunks(entries: Mapping[str, Entries], entry_bytes: Mapping[str, int]) -> Iterator[Chunk]:
    """Cut the entries of all layers into chunks, so that each image is in one chunk only.

    `entry_bytes` is the size of a layer's result. Where the cuts fall depends on the scan alone.
    """
    for first, stop in _cuts(entries, entry_bytes):
        parts = {layer: found.within(first, stop) for layer, found in entries.items()}
        yield {layer: part for layer, part in parts.items() if len(part)}


def _cuts(
    entries: Mapping[str, Entries], entry_bytes: Mapping[str, int]
) -> Iterator[tuple[int, int]]:
    """(first, stop) image rows of each chunk."""
    rows, size = _result_bytes(entries, entry_bytes)
    first, held, images = 0, 0, 0
    for row, row_bytes in zip(rows, size, strict=True):
        held, images = held + row_bytes, images + 1
        if held >= CHUNK_BYTES or images == CHUNK_IMAGES:
            yield first, row + 1
            first, held, images = row + 1, 0, 0
    if images:
        yield first, rows[-1] + 1


def _result_bytes(
    entries: Mapping[str, Entries], entry_bytes: Mapping[str, int]
) -> tuple[Sequence[int], Sequence[int]]:
    """The image rows that have entries, ascending, and the bytes of all results of each."""
    image = np.concatenate([found.image for found in entries.values()])
    size = np.concatenate([np.full(len(e), entry_bytes[layer]) for layer, e in entries.items()])
    rows, which = np.unique(image, return_inverse=True)
    return rows.tolist(), np.bincount(which, weights=size).astype(np.int64).tolist()


def rows_of(chunk: Chunk, rows: Sequence[ImageRow]) -> dict[int, ImageRow]:
    """The manifest's rows of a chunk's images, by image row, out of all of the split's."""
    images = {int(row) for found in chunk.values() for row in found.image}
    return {row: rows[row] for row in images}
