"""The pieces in which a scan is given to workers."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, isqrt


@dataclass(frozen=True)
class Chunk:
    """Consecutive image rows, a whole number of batches but for the last one's end."""

    number: int
    rows: range


def chunk_images(images: int, batch_size: int) -> int:
    """Images in a chunk: whole batches, as many as a quarter of the root of all batches.

    So both the chunks and what one costs to repeat grow slowly: 19 chunks of 32 images for 600,
    174 of 288 for 50,000, 22,000 of 45,000 for a billion.
    """
    return batch_size * max(1, isqrt(ceil(images / batch_size)) // 4)


def chunks(images: int, batch_size: int) -> Iterator[Chunk]:
    """All chunks of a data set. They and the batches in them depend on these two numbers alone."""
    size = chunk_images(images, batch_size)
    for number, first in enumerate(range(0, images, size)):
        yield Chunk(number, range(first, min(first + size, images)))


def chunk_count(images: int, batch_size: int) -> int:
    """How many chunks there are."""
    return ceil(images / chunk_images(images, batch_size))
