"""A stage that makes a picture of every entry: spread over workers, resumable, published whole."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zarr

from pipeline.atlas import Run
from pipeline.atlas.layer_entries import LayerEntries
from pipeline.atlas.runner import EntryTask, numbered_chunks, run_chunks
from pipeline.atlas.stored_size import reduction
from pipeline.compute.pool import Pool, Task
from pipeline.progress import Bar
from pipeline.storage.publish import publish
from pipeline.storage.spill import Spill, Table, Values
from pipeline.storage.state import fingerprint, stage_state
from pipeline.storage.stores import Kind, create_store, seal


@dataclass(frozen=True)
class Pictures:
    """One kind of pictures: of which entries, and how they are made."""

    name: str
    """Names the folder of its state."""
    work: Task[EntryTask[Any], Mapping[str, Values]]
    config: Any
    """What the work needs beside a chunk of entries."""
    entries: Mapping[str, LayerEntries]
    tables: Mapping[str, Table]
    """By layer, what the store keeps of every entry."""

    def make(self, run: Run, state: Path, pool: Pool, bar: Bar) -> Spill:
        """Make all pictures, or those that the state lacks."""
        folder = state / self.name
        folder.mkdir(exist_ok=True)
        spill = Spill(folder, self.tables)
        chunks = numbered_chunks(self.entries, self.tables)
        with bar(self.name, sum(map(len, self.entries.values())), "entry") as advance:
            run_chunks(pool, self.work, self.config, run.images, chunks, spill, advance)
        return spill


def _no_attributes(layer: zarr.Group) -> dict[str, object]:
    return {}


@dataclass(frozen=True)
class PictureStage:
    """A stage and the store that it writes."""

    name: str
    """The name of the stage."""
    kind: Kind
    pictures: tuple[Pictures, ...]
    facts: Mapping[str, object]
    """Everything that the pictures depend on, beside the entries."""
    attributes: Callable[[zarr.Group], Mapping[str, Any]] = _no_attributes
    """The attributes of a layer's group, out of its arrays."""

    def run(self, run: Run, out: Path, workers: AbstractContextManager[Pool], bar: Bar) -> None:
        """Work on all entries on the workers, let them go, then write the store whole."""
        key = fingerprint({**run.entries_provenance.attributes(), **self.facts})
        with stage_state(run.workspace.state(self.name), key) as state:
            with workers as pool:
                spills = [pictures.make(run, state, pool, bar) for pictures in self.pictures]
            with publish(out) as path:
                self._write(run, path, spills, bar)

    def _write(self, run: Run, path: Path, spills: list[Spill], bar: Bar) -> None:
        store = create_store(path, self.kind, run.entries_provenance)
        with bar("write", len(run.layers), "layer") as advance:
            for layer in run.layers:
                for spill in spills:
                    spill.write_layer(store, self.kind, layer)
                group = store.require_group(layer)
                factor = reduction(run.graph, layer, run.records[layer].image.shape[1])
                if factor > 1:
                    group.attrs["reduction"] = factor
                group.attrs.update(self.attributes(group))
                advance(1)
        seal(store)
