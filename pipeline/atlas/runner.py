"""Work on the entries of a scan in chunks: spread over workers, resumable, in any order."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from pipeline.atlas.chunks import Chunk, chunk_size, entry_chunks, images_of
from pipeline.atlas.layer_entries import LayerEntries
from pipeline.atlas.stored_size import reduced_size, reduction
from pipeline.compute.pool import Pool, Task
from pipeline.dataset.manifest import ImageRow
from pipeline.network.graph import Graph
from pipeline.network.receptive_field import receptive_field
from pipeline.progress import Advance
from pipeline.storage.spill import Spill, Table, Values

log = logging.getLogger(__name__)

C = TypeVar("C")


@dataclass(frozen=True)
class EntryTask(Generic[C]):
    """The task of one chunk, with all that a worker needs for it."""

    config: C
    """Shared by all chunks of a run."""
    chunk: Chunk
    images: Mapping[int, ImageRow]
    """The manifest's rows of the chunk's images, by image row."""


def entry_task(config: C, rows: Sequence[ImageRow], chunk: Chunk) -> EntryTask[C]:
    """The task of a chunk; `rows` are all validation rows of the manifest."""
    return EntryTask(config, chunk, {row: rows[row] for row in images_of(chunk)})


def run_chunks(
    pool: Pool,
    work: Task[EntryTask[C], Mapping[str, Values]],
    config: C,
    rows: Sequence[ImageRow],
    chunks: Mapping[int, Chunk],
    spill: Spill,
    advance: Advance,
) -> None:
    """Do the work of every chunk and keep its values in `spill`.

    Chunks that a former run finished are not run again; `advance` is called for their entries at
    once. The result depends neither on the workers nor on the order in which they finish.
    """
    finished = spill.finished()
    if finished:
        log.info("Resuming: %d of %d chunks are finished", len(finished), len(chunks))
    advance(sum(chunk_size(chunks[number]) for number in finished))
    waiting = {number: chunk for number, chunk in chunks.items() if number not in finished}
    tasks = ((number, entry_task(config, rows, chunk)) for number, chunk in waiting.items())
    for number, values in pool.run(work, tasks):
        spill.add(number, values)
        advance(chunk_size(chunks[number]))


def numbered_chunks(
    entries: Mapping[str, LayerEntries], tables: Mapping[str, Table]
) -> dict[int, Chunk]:
    """The chunks of all layers' entries; they depend on the entries and on `tables` alone."""
    sizes = {layer: table.entry_bytes for layer, table in tables.items()}
    return dict(enumerate(entry_chunks(entries, sizes)))


Value = tuple[tuple[int, ...], str]
"""The shape and the dtype of what an array holds of one entry."""


def picture_tables(
    graph: Graph,
    shapes: Mapping[str, tuple[int, int]],
    ranks_of: Mapping[str, int],
    picture: str,
    dtype: str,
    **others: Value,
) -> dict[str, Table]:
    """By layer, what a store keeps of every entry: a picture of its field, and other arrays.

    `shapes` are the channels and ranks of the layers, `ranks_of` the ranks that the scan keeps.
    """
    tables = {}
    for layer, (channels, ranks) in shapes.items():
        factor = reduction(graph, layer, ranks_of[layer])
        rows, cols = reduced_size(receptive_field(graph, layer).size, factor)
        tables[layer] = Table(channels, ranks, {picture: ((rows, cols, 3), dtype), **others})
    return tables
