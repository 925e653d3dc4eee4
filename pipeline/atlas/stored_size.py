"""The size of stored pictures: full, or reduced where a layer would fill the disk.

The field of a deep layer is the whole image: 2,048 channels of ResNet-50 would take 15 GB.
"""

import numpy as np
from jaxtyping import UInt8

from pipeline.network.graph import Graph
from pipeline.network.receptive_field import receptive_field
from pipeline.network.window import Pair

LARGEST_BYTES = 10**9
"""Of all pictures of a layer, before compression."""
ENTRY_BYTES = 9
"""Of an entry's projection and crop, for each pixel."""
OTHER_BYTES = 66
"""Of a channel's controls and examples, two and 18, for each pixel."""


def reduction(graph: Graph, layer: str, ranks: int) -> int:
    """The side of the squares of pixels that are one pixel of a layer's stored pictures."""
    channels, field = graph.layer(layer).channels, receptive_field(graph, layer).size
    factor = 1
    while channels * _area(reduced_size(field, factor)) * _pixel_bytes(ranks) > LARGEST_BYTES:
        factor += 1
    return factor


def _area(size: Pair) -> int:
    return size[0] * size[1]


def _pixel_bytes(ranks: int) -> int:
    return ranks * ENTRY_BYTES + OTHER_BYTES


def reduced_size(size: Pair, factor: int) -> Pair:
    """Rows and columns of a reduced picture; the last squares may be cut off."""
    return -(-size[0] // factor), -(-size[1] // factor)


def reduced_pixels(
    pictures: UInt8[np.ndarray, "entry row col 3"], factor: int
) -> UInt8[np.ndarray, "entry _ _ 3"]:
    """Pixels reduced to the means of squares of pixels, halves rounded up."""
    if factor == 1:
        return pictures
    starts = [np.arange(0, side, factor) for side in pictures.shape[1:3]]
    counts = [
        np.diff(np.append(first, side))
        for first, side in zip(starts, pictures.shape[1:3], strict=True)
    ]
    sums = np.add.reduceat(pictures.astype(np.uint32), starts[0], axis=1)
    sums = np.add.reduceat(sums, starts[1], axis=2)
    pixels = (counts[0][:, None] * counts[1])[:, :, None].astype(np.uint32)
    return ((sums + pixels // 2) // pixels).astype(np.uint8)
