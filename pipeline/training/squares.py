"""The images as squares of one size: decoded when asked for, or kept on disk as plain pixels."""

import logging
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Int64, UInt8

from pipeline.dataset.images import load_square
from pipeline.progress import Advance
from pipeline.storage.publish import publish

logger = logging.getLogger(__name__)

Pixels = UInt8[np.ndarray, "image side side 3"]
Rows = Int64[np.ndarray, " image"]
CACHE_SHARE = 0.5
"""Most of the free disk that cached pixels may take."""


@runtime_checkable
class Squares(Protocol):
    """Images of one split as squares of pixels, by image row."""

    @property
    def side(self) -> int:
        """Side of a square in pixels."""
        ...

    def __len__(self) -> int: ...

    def read(self, rows: Rows) -> Pixels:
        """The squares of some image rows. Called from several threads."""
        ...


@dataclass(frozen=True)
class FileSquares:
    """Squares decoded from the image files each time."""

    paths: Sequence[Path]
    resize: int
    """Shortest side after resizing."""
    side: int
    """Side of the centre square."""

    def __len__(self) -> int:
        return len(self.paths)

    def read(self, rows: Rows) -> Pixels:
        """Decode some images. Raises AtlasError for one that cannot be read."""
        pixels = np.empty((len(rows), self.side, self.side, 3), np.uint8)
        for place, row in enumerate(rows.tolist()):
            pixels[place] = load_square(self.paths[row], self.resize, self.side)
        return pixels


@dataclass(frozen=True)
class CachedSquares:
    """Squares in a memory-mapped file: `(image, side, side, 3)` bytes."""

    pixels: np.memmap
    side: int

    def __len__(self) -> int:
        return len(self.pixels)

    def read(self, rows: Rows) -> Pixels:
        """Copy some images out of the file."""
        return np.asarray(self.pixels[rows])


def worth_caching(squares: FileSquares, reads: int, folder: Path) -> bool:
    """Whether the images are read more than once and their pixels fit the free disk well."""
    size = len(squares) * squares.side**2 * 3
    return reads > 1 and size <= CACHE_SHARE * shutil.disk_usage(folder).free


def cached(squares: FileSquares, path: Path, threads: int, advance: Advance) -> CachedSquares:
    """Decode every image once into a file at `path`, or open the file that is already there."""
    if not path.exists():
        with publish(path) as partial:
            _decode(squares, partial, threads, advance)
        logger.info("Cached the pixels of %d images in %s.", len(squares), path)
    return CachedSquares(np.load(path, mmap_mode="r"), squares.side)


def _decode(squares: FileSquares, path: Path, threads: int, advance: Advance) -> None:
    shape = (len(squares), squares.side, squares.side, 3)
    array = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)

    def fill(rows: Rows) -> int:
        array[rows] = squares.read(rows)
        return len(rows)

    with ThreadPoolExecutor(threads) as pool:
        for count in pool.map(fill, _runs(len(squares), 16)):
            advance(count)
    array.flush()


def _runs(count: int, length: int) -> Iterator[Rows]:
    for first in range(0, count, length):
        yield np.arange(first, min(first + length, count))
