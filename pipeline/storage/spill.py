"""Finished entries on disk, before their store is written: any order, any interruption."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from jaxtyping import Int64, Shaped

from pipeline.storage.stores import SHARD_CHANNELS, Kind, create_array


@dataclass(frozen=True)
class Table:
    """What is kept for each entry of a layer."""

    channels: int
    ranks: int
    arrays: Mapping[str, tuple[tuple[int, ...], str]]
    """Shape and dtype of one entry's value, by the name of the Zarr array."""

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
    """A plain file per array, every entry at its place, and a mark for each finished chunk.

    A chunk is marked once its values are in the files. A process killed in between leaves values
    that the next run writes again, the same. Places never written read as 0.
    """

    def __init__(self, folder: Path, tables: Mapping[str, Table]) -> None:
        self._folder = folder
        self._tables = tables
        for layer, table in tables.items():
            for name, (shape, dtype) in table.arrays.items():
                places = table.channels * table.ranks
                _extend(self._path(layer, name), places * _size(shape, dtype))

    def finished(self) -> set[int]:
        """Numbers of the chunks that need not run again."""
        return {int(path.suffix[1:]) for path in self._folder.glob("finished.*")}

    def add(self, chunk: int, results: Mapping[str, Values]) -> None:
        """Write a chunk's values, by layer, then mark it as finished."""
        for layer, values in results.items():
            place = values.channel * self._tables[layer].ranks + values.rank
            for name, array in values.arrays.items():
                _write(self._path(layer, name), place, array)
        (self._folder / f"finished.{chunk}").touch()

    def write_layer(self, root: zarr.Group, kind: Kind, layer: str) -> None:
        """Write a layer of a store out of the files, a shard at a time."""
        group, table = root.create_group(layer), self._tables[layer]
        for name, (shape, dtype) in table.arrays.items():
            whole = (table.channels, table.ranks, *shape)
            array = create_array(group, kind, name, whole, dtype)
            for part, values in self._shards(layer, name):
                array[part] = values

    def _shards(
        self, layer: str, name: str
    ) -> Iterator[tuple[slice, Shaped[np.ndarray, "channel rank ..."]]]:
        """The values of consecutive channels, as many as one shard holds."""
        table = self._tables[layer]
        shape, dtype = table.arrays[name]
        for first in range(0, table.channels, SHARD_CHANNELS):
            part = slice(first, min(first + SHARD_CHANNELS, table.channels))
            yield part, _read(self._path(layer, name), part, (table.ranks, *shape), dtype)

    def _path(self, layer: str, name: str) -> Path:
        return self._folder / f"{layer}.{name}"


def _size(shape: tuple[int, ...], dtype: str) -> int:
    return int(np.prod(shape)) * np.dtype(dtype).itemsize


def _extend(path: Path, size: int) -> None:
    """Make a file of zeros that takes no room yet, if it is not there."""
    with path.open("ab") as file:
        file.truncate(size)


def _write(
    path: Path, place: Int64[np.ndarray, " entry"], values: Shaped[np.ndarray, "entry ..."]
) -> None:
    with path.open("r+b") as file:
        for at, value in zip(place.tolist(), values, strict=True):
            file.seek(at * value.nbytes)
            file.write(value.tobytes())


def _read(
    path: Path, part: slice, shape: tuple[int, ...], dtype: str
) -> np.ndarray[Any, np.dtype[Any]]:
    """The values of some channels, each of a shape."""
    start = part.start * _size(shape, dtype)
    count = (part.stop - part.start) * int(np.prod(shape))
    return np.fromfile(path, dtype, count, offset=start).reshape(-1, *shape)
