"""Finished entries on disk, before their store is written: any order, any interruption."""

import hashlib
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import zarr
from jaxtyping import Int64, Shaped

from pipeline.storage.checked import read_checked, write_checked
from pipeline.storage.disk import reserve
from pipeline.storage.stores import DIMENSIONS, SHARD_CHANNELS, Kind, create_array

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ByChannel:
    """An array of the store, float32, with one value per channel."""

    source: str
    """The array that it is computed from, which is not in the store."""
    value: Callable[[slice, Shaped[np.ndarray, "channel rank ..."]], Shaped[np.ndarray, " channel"]]
    """Takes some consecutive channels, and the source's values of them."""


@dataclass(frozen=True)
class Table:
    """The arrays kept for each entry of a layer."""

    channels: int
    ranks: int
    arrays: Mapping[str, tuple[tuple[int, ...], str]]
    """Shape and dtype of one entry's value, by the name of the Zarr array."""
    by_channel: Mapping[str, ByChannel] = field(default_factory=dict)
    """By the name of the Zarr array, what is computed of all entries of a channel."""

    @property
    def entry_bytes(self) -> int:
        """Bytes of one entry, all arrays together."""
        return sum(_size(shape, dtype) for shape, dtype in self.arrays.values())


@dataclass(frozen=True)
class Values:
    """Some entries of a layer."""

    channel: Int64[np.ndarray, " entry"]
    rank: Int64[np.ndarray, " entry"]
    arrays: Mapping[str, Shaped[np.ndarray, "entry ..."]]
    """By the name of the Zarr array."""


class Spill:
    """A memory-mapped file per array, every entry at its place, and a mark per finished chunk.

    A mark holds the places and the checksum of the chunk's values. It is written after them, and
    believed only where the files still hold these values: whatever a kill, a crash or a fault of
    the disk left, its chunk is done again. Places never written read as 0.
    """

    def __init__(self, folder: Path, tables: Mapping[str, Table]) -> None:
        self._folder = folder
        self._tables = tables
        for layer, table in tables.items():
            for name, (shape, dtype) in table.arrays.items():
                places = table.channels * table.ranks
                reserve(self._path(layer, name), places * _size(shape, dtype))

    def finished(self) -> set[int]:
        """Numbers of the chunks that need not run again, every value of theirs checked."""
        marks = {path: self._is_intact(path) for path in self._folder.glob("finished.*")}
        if dropped := list(marks.values()).count(False):
            log.warning("%s: %d damaged chunks are done again.", self._folder, dropped)
        return {int(path.suffix[1:]) for path, intact in marks.items() if intact}

    def add(self, chunk: int, results: Mapping[str, Values]) -> None:
        """Write a chunk's values, by layer, then mark it as finished."""
        places = {
            layer: (values.channel * self._tables[layer].ranks + values.rank).tolist()
            for layer, values in results.items()
        }
        for layer, values in results.items():
            for name, array in values.arrays.items():
                self._mapped(layer, name, "r+")[places[layer]] = array
        mark = json.dumps({"places": places, "sha256": self._sha256(places)})
        write_checked(self._folder / f"finished.{chunk}", lambda file: file.write(mark.encode()))

    def _is_intact(self, mark: Path) -> bool:
        content = read_checked(mark)
        if content is None:
            return False
        facts = json.load(content)
        return bool(facts["sha256"] == self._sha256(facts["places"]))

    def _sha256(self, places: Mapping[str, list[int]]) -> str:
        """One hash over the values that the files hold at some places of each layer."""
        digest = hashlib.sha256()
        for layer, at in places.items():
            for name in self._tables[layer].arrays:
                digest.update(np.ascontiguousarray(self._mapped(layer, name, "r")[at]).data)
        return digest.hexdigest()

    def write_layer(self, root: zarr.Group, kind: Kind, layer: str) -> None:
        """Write a layer of a store out of the files, a shard at a time."""
        group, table = root.require_group(layer), self._tables[layer]
        sources = {made.source for made in table.by_channel.values()}
        for name, (shape, dtype) in table.arrays.items():
            if name not in sources:
                whole = (table.channels, table.ranks, *shape)
                array = create_array(group, name, DIMENSIONS[kind][name], whole, dtype)
                for part, values in self._shards(layer, name):
                    array[part] = values
        for name, made in table.by_channel.items():
            found = [made.value(part, values) for part, values in self._shards(layer, made.source)]
            whole = (table.channels,)
            array = create_array(group, name, DIMENSIONS[kind][name], whole, "float32")
            array[...] = np.concatenate(found)

    def _shards(
        self, layer: str, name: str
    ) -> Iterator[tuple[slice, Shaped[np.ndarray, "channel rank ..."]]]:
        """The values of consecutive channels, as many as one shard holds."""
        table, values = self._tables[layer], self._mapped(layer, name, "r")
        for first in range(0, table.channels, SHARD_CHANNELS):
            part = slice(first, min(first + SHARD_CHANNELS, table.channels))
            rows = values[part.start * table.ranks : part.stop * table.ranks]
            yield part, rows.reshape(-1, table.ranks, *values.shape[1:])

    def _mapped(self, layer: str, name: str, mode: Literal["r", "r+"]) -> np.memmap:
        """The values of an array, by place."""
        table = self._tables[layer]
        shape, dtype = table.arrays[name]
        whole = (table.channels * table.ranks, *shape)
        return np.memmap(self._path(layer, name), dtype, mode, shape=whole)

    def _path(self, layer: str, name: str) -> Path:
        return self._folder / f"{layer}.{name}"


def _size(shape: tuple[int, ...], dtype: str) -> int:
    return int(np.prod(shape)) * np.dtype(dtype).itemsize
