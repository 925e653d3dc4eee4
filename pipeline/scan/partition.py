"""The partition of a data set into the chunks of images that workers scan."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, isqrt


@dataclass(frozen=True)
class ImageChunk:
    """Consecutive image rows, a whole number of batches but for the last one's end."""

    number: int
    rows: range


def images_per_chunk(images: int, batch_size: int) -> int:
    """Images in a chunk: whole batches, as many as a quarter of the root of all batches.

    So both the chunks and what one costs to repeat grow slowly: 19 chunks of 32 images for 600,
    174 of 288 for 50,000, 22,000 of 45,000 for a billion.
    """
    return batch_size * max(1, isqrt(ceil(images / batch_size)) // 4)


def image_chunks(images: int, batch_size: int) -> Iterator[ImageChunk]:
    """All chunks of a data set. They and the batches in them depend on these two numbers alone."""
    size = images_per_chunk(images, batch_size)
    for number, first in enumerate(range(0, images, size)):
        yield ImageChunk(number, range(first, min(first + size, images)))


def chunk_count(images: int, batch_size: int) -> int:
    """How many chunks there are."""
    return ceil(images / images_per_chunk(images, batch_size))
