"""Work on the entries of a scan, in chunks of whole images: spread, resumable, any order."""

import logging
from collections.abc import Callable, Mapping
from typing import TypeVar

from pipeline.compute.cluster import Pool, Task
from pipeline.network.geometry import receptive_field
from pipeline.network.graph import Graph
from pipeline.progress import Advance
from pipeline.project.entries import Chunk, chunks, listed_entries
from pipeline.storage.spill import Spill, Table, Values
from pipeline.storage.stores import ScanRecord

log = logging.getLogger(__name__)

J = TypeVar("J")


def run_chunks(
    pool: Pool,
    task: Task[J, Mapping[str, Values]],
    make_job: Callable[[Chunk], J],
    numbered: Mapping[int, Chunk],
    spill: Spill,
    advance: Advance,
) -> None:
    """Run a task on every chunk and keep its values in `spill`.

    Chunks that a former run finished are not run again; `advance` is called for their entries at
    once. The result depends neither on the workers nor on the order in which they finish.
    """
    done = spill.finished()
    if done:
        log.info("Resuming: %d of %d chunks are finished", len(done), len(numbered))
    advance(sum(_size(numbered[number]) for number in done))
    jobs = ((n, make_job(chunk)) for n, chunk in numbered.items() if n not in done)
    for number, values in pool.run(task, jobs):
        spill.add(number, values)
        advance(_size(numbered[number]))


def numbered_chunks(
    records: Mapping[str, ScanRecord], kept: Mapping[str, Table]
) -> dict[int, Chunk]:
    """The chunks of all layers' entries, which depend on the scan and on what is kept alone."""
    entries = {layer: listed_entries(record) for layer, record in records.items()}
    sizes = {layer: table.entry_bytes for layer, table in kept.items()}
    return dict(enumerate(chunks(entries, sizes)))


def tables(
    graph: Graph, records: Mapping[str, ScanRecord], pictures: str, dtype: str, *numbers: str
) -> dict[str, Table]:
    """By layer, what a store keeps of every entry: a picture of its field, and float32 numbers."""
    found = {}
    for layer, record in records.items():
        rows, cols = receptive_field(graph, layer).size
        arrays = {pictures: ((rows, cols, 3), dtype)} | {name: ((), "float32") for name in numbers}
        channels, ranks = record.image.shape
        found[layer] = Table(channels, ranks, arrays)
    return found


def entry_count(records: Mapping[str, ScanRecord]) -> int:
    """Entries that are not missing, in all layers."""
    return sum(int((record.image >= 0).sum()) for record in records.values())


def _size(chunk: Chunk) -> int:
    return sum(map(len, chunk.values()))
