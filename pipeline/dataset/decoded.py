"""Decoded images: squares of pixels by image row, decoded when asked for or cached on disk."""

import logging
import shutil
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Int64, UInt8, UInt32
from torch.utils.data import Dataset

from pipeline.dataset.manifest import ImageRow
from pipeline.dataset.store import ImageStore
from pipeline.dataset.verified import load_verified
from pipeline.progress import Advance
from pipeline.storage.checked import read_checked, write_checked
from pipeline.storage.publish import publish

logger = logging.getLogger(__name__)

Square = UInt8[np.ndarray, "side side 3"]
Squares = UInt8[np.ndarray, "image side side 3"]
Rows = Int64[np.ndarray, " image"]
CACHE_SHARE = 0.5
"""Most of the free disk that cached pixels may take."""


class ImageDataset(Dataset[Square]):
    """The images of one split as squares of pixels, by image row. Used from several threads."""

    side: int
    """Side of a square in pixels."""

    def __len__(self) -> int:
        raise NotImplementedError

    def __getitem__(self, row: int) -> Square:
        """The square of one image."""
        square: Square = self.__getitems__(np.array([row]))[0]
        return square

    def __getitems__(self, rows: Rows) -> Squares:
        """The squares of some images: torch's hook for fetching a batch at once."""
        raise NotImplementedError


@dataclass(frozen=True)
class DecodedImages(ImageDataset):
    """Listed images, read, verified and decoded each time they are asked for."""

    images: ImageStore
    rows: Sequence[ImageRow]
    resize: int
    """Shortest side after resizing."""
    side: int
    """Side of the centre square."""

    def __len__(self) -> int:
        return len(self.rows)

    def __getitems__(self, rows: Rows) -> Squares:
        """Decode some images.

        Raises AtlasError for one that cannot be read or is not the one that was listed.
        """
        pixels = np.empty((len(rows), self.side, self.side, 3), np.uint8)
        for place, row in enumerate(rows.tolist()):
            pixels[place] = load_verified(self.images, self.rows[row], self.resize, self.side)
        return pixels


@dataclass(frozen=True)
class PixelCache(ImageDataset):
    """Squares in a memory-mapped file: `(image, side, side, 3)` bytes, a checksum for each."""

    pixels: np.memmap
    checksums: UInt32[np.ndarray, " image"]
    images: DecodedImages
    """Where a damaged square is decoded from again."""

    side: int
    damaged: set[int] = field(default_factory=set)
    """The rows that were found damaged so far, and put right."""

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitems__(self, rows: Rows) -> Squares:
        """Copy some images out of the file; one whose bytes have changed is decoded again.

        It is put right in the file, and the first is told.
        """
        squares = np.asarray(self.pixels[rows])
        damaged = [n for n, row in enumerate(rows) if _crc(squares[n]) != self.checksums[row]]
        if damaged:
            squares[damaged] = self.images.__getitems__(rows[damaged])
            if not self.damaged:
                logger.warning("%s is damaged; those images are decoded again.", self._path)
            self.damaged.update(rows[damaged].tolist())
            with suppress(OSError):  # of a folder that may not be written
                self._put_right(rows[damaged], squares[damaged])
        return squares

    @property
    def _path(self) -> Path:
        return Path(str(self.pixels.filename))

    def _put_right(self, rows: Rows, squares: Squares) -> None:
        """Write squares to their places; not through the map, where a full disk is fatal."""
        with self._path.open("r+b") as file:
            for row, square in zip(rows.tolist(), squares, strict=True):
                file.seek(self.pixels.offset + row * square.nbytes)
                file.write(square.data)


def _crc(square: UInt8[np.ndarray, "side side 3"]) -> int:
    return zlib.crc32(square.data)


def should_cache(images: DecodedImages, reads: int, folder: Path) -> bool:
    """Whether the images are read more than once and their pixels fit the free disk well."""
    size = len(images) * images.side**2 * 3
    return reads > 1 and size <= CACHE_SHARE * shutil.disk_usage(folder).free


def open_cache(images: DecodedImages, path: Path, threads: int, advance: Advance) -> PixelCache:
    """Decode every image once into a file at `path`, or open the file that is already there.

    The checksums are written last: a file without them is not used.
    """
    beside = path.with_suffix(".crc32")
    if (cache := _opened(images, path, beside)) is not None:
        return cache
    with publish(path) as partial:
        checksums = _decode(images, partial, threads, advance)
    write_checked(beside, lambda file: np.save(file, checksums))
    logger.info("Cached the pixels of %d images in %s.", len(images), path)
    return PixelCache(np.load(path, mmap_mode="r"), checksums, images, images.side)


def _opened(images: DecodedImages, path: Path, beside: Path) -> PixelCache | None:
    """The cache that is there; None where there is none of these images."""
    content = read_checked(beside)
    if content is None:
        return None
    try:
        pixels = np.load(path, mmap_mode="r")
    except (OSError, ValueError, EOFError):  # it is lost, cut short, or its header is damaged
        pixels = np.empty(0)
    shape = (len(images), images.side, images.side, 3)
    if (pixels.shape, pixels.dtype) != (shape, np.uint8):
        logger.warning("%s is lost or damaged; all images are decoded again.", path)
        return None
    return PixelCache(pixels, np.load(content), images, images.side)


def _decode(
    images: DecodedImages, path: Path, threads: int, advance: Advance
) -> UInt32[np.ndarray, " image"]:
    shape = (len(images), images.side, images.side, 3)
    array = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
    checksums = np.zeros(len(images), np.uint32)

    def fill(rows: Rows) -> int:
        array[rows] = squares = images.__getitems__(rows)
        checksums[rows] = [_crc(square) for square in squares]
        return len(rows)

    with ThreadPoolExecutor(threads) as pool:
        for count in pool.map(fill, _runs(len(images), 16)):
            advance(count)
    array.flush()
    return checksums


def _runs(count: int, length: int) -> Iterator[Rows]:
    for first in range(0, count, length):
        yield np.arange(first, min(first + length, count))
