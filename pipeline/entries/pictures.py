"""A stage that makes a picture of every entry: spread over workers, resumable, published whole."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import torch

from pipeline.atlas import Run
from pipeline.compute.cluster import Task, workers
from pipeline.entries.layer_entries import entry_count
from pipeline.entries.runner import EntryTask, numbered_chunks, run_chunks
from pipeline.progress import Bar
from pipeline.storage.publish import publish
from pipeline.storage.spill import Spill, Table, Values
from pipeline.storage.state import fingerprint, stage_state
from pipeline.storage.stores import Kind, create_store, seal

C = TypeVar("C")


@dataclass(frozen=True)
class PictureStage(Generic[C]):
    """A stage that makes a picture of every entry of the scan."""

    name: str
    """The name of the stage."""
    kind: Kind
    """The store that it writes."""
    work: Task[EntryTask[C], Mapping[str, Values]]
    config: C
    tables: Mapping[str, Table]
    """By layer, what the store keeps of every entry."""
    facts: Mapping[str, object]
    """Everything that the pictures depend on, beside the entries."""

    def run(
        self, run: Run, out: Path, scheduler: str | None, count: int, device: torch.device, bar: Bar
    ) -> None:
        """Work on all entries on some workers, then write the store whole."""
        key = fingerprint({**run.entries_provenance.attributes(), **self.facts})
        with stage_state(run.workspace.state(self.name), key) as state:
            spill = Spill(state, self.tables)
            chunks = numbered_chunks(run.records, self.tables)
            with (
                workers(scheduler, count, device) as pool,
                bar(self.name, entry_count(run.records), "entry") as advance,
            ):
                run_chunks(pool, self.work, self.config, run.images, chunks, spill, advance)
            with publish(out) as path:
                self._write(run, path, spill, bar)

    def _write(self, run: Run, path: Path, spill: Spill, bar: Bar) -> None:
        store = create_store(path, self.kind, run.entries_provenance)
        with bar("write", len(self.tables), "layer") as advance:
            for layer in self.tables:
                spill.write_layer(store, self.kind, layer)
                advance(1)
        seal(store)
