"""The entries of all layers, cut into chunks of whole images."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from pipeline.atlas.layer_entries import LayerEntries

CHUNK_IMAGES = 128
"""Images in a chunk at most: their inputs, 0.6 MB each at 224 pixels, are in memory together."""
CHUNK_BYTES = 16 << 20
"""A chunk is closed by the image that brings its results to this size."""

Chunk = Mapping[str, LayerEntries]
"""Entries of some consecutive image rows, by layer; layers without any are left out."""


def entry_chunks(
    entries: Mapping[str, LayerEntries], entry_bytes: Mapping[str, int]
) -> Iterator[Chunk]:
    """Cut the entries of all layers into chunks, so that each image is in one chunk only.

    `entry_bytes` is the size of a layer's result. Where the cuts fall depends on the scan alone.
    """
    for first, stop in _cuts(entries, entry_bytes):
        parts = {layer: found.within(first, stop) for layer, found in entries.items()}
        yield {layer: part for layer, part in parts.items() if len(part)}


def images_of(chunk: Chunk) -> list[int]:
    """The image rows of a chunk, ascending."""
    rows = [part.image for part in chunk.values()]
    image_rows: list[int] = np.unique(np.concatenate(rows)).tolist()
    return image_rows


def chunk_size(chunk: Chunk) -> int:
    """The number of entries of a chunk."""
    return sum(map(len, chunk.values()))


def _cuts(
    entries: Mapping[str, LayerEntries], entry_bytes: Mapping[str, int]
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
    entries: Mapping[str, LayerEntries], entry_bytes: Mapping[str, int]
) -> tuple[Sequence[int], Sequence[int]]:
    """The image rows that have entries, ascending, and the bytes of all results of each."""
    image = np.concatenate([found.image for found in entries.values()])
    size = np.concatenate([np.full(len(e), entry_bytes[layer]) for layer, e in entries.items()])
    rows, which = np.unique(image, return_inverse=True)
    return rows.tolist(), np.bincount(which, weights=size).astype(np.int64).tolist()
