"""One entry: a channel, one of its strongest images, and the pictures of both."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int32, UInt8

MISSING = -1
"""The image row of an entry that does not exist: fewer images than ranks made the channel fire."""


@dataclass(frozen=True)
class Entry:
    """One of the strongest images of a channel, addressed by (layer, channel, rank)."""

    layer: str
    channel: int
    rank: int
    """0 is the strongest."""
    activation: float
    """The channel's peak in the image; 0 where the entry is missing."""
    image: int
    """Image row in the validation split; −1 where the entry is missing."""
    label: str
    """Class name of the image; empty where the entry is missing."""
    path: str
    """Path of the image below `data.root`; empty where the entry is missing."""
    cell: tuple[int, int]
    """(row, col) of the peak on the layer's map."""
    box: tuple[int, int, int, int]
    """(top, left, bottom, right) of the receptive field, half-open, unclipped, in input pixels."""
    projection: Float32[np.ndarray, "row col 3"]
    """The signal on the box, signed: the stored picture times its scale. Like the crop it is
    reduced where the store says so; in a concatenation both show the largest branch's box."""
    crop: UInt8[np.ndarray, "row col 3"]
    """The pixels of the box; 0 outside the image."""

    @property
    def missing(self) -> bool:
        """Whether too few images made the channel fire for this rank."""
        return self.image == MISSING

    def __str__(self) -> str:
        return f"{self.layer} channel {self.channel} rank {self.rank}"


def boxes_where_shown(
    image: Int32[np.ndarray, "*entry"], boxes: Int32[np.ndarray, "*entry 4"]
) -> Int32[np.ndarray, "*entry 4"]:
    """The boxes of entries; 0 where an entry is missing."""
    return np.where((image == MISSING)[..., None], np.int32(0), boxes)
