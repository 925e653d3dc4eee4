"""Receptive fields, derived from the chain alone."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int32

from pipeline.network.chain import Chain, Conv, MaxPool


@dataclass(frozen=True)
class Field:
    """The receptive field of a layer's units, along one axis, in input pixels."""

    size: int
    """Side of the square of pixels that can reach one unit."""
    jump: int
    """Distance between the fields of neighbouring cells."""
    start: int
    """First pixel of the field of cell 0; negative where it reaches outside the image."""

    def boxes(self, cells: Int32[np.ndarray, "*entry 2"]) -> Int32[np.ndarray, "*entry 4"]:
        """Boxes (top, left, bottom, right) of (row, col) cells: half-open, not clipped."""
        first = cells * self.jump + self.start
        return np.concatenate([first, first + self.size], axis=-1).astype(np.int32)


def receptive_field(chain: Chain, layer: str) -> Field:
    """The field of one layer of a chain.

    A unit of a fully connected layer sees the whole image: its field is the image itself.
    """
    if layer not in chain.conv_layers:
        chain.op(layer)
        return Field(size=chain.input_px, jump=0, start=0)
    size, jump, start = 1, 1, 0
    for op in chain.ops[: chain.position(layer) + 1]:
        if isinstance(op, Conv | MaxPool):
            padding = op.padding if isinstance(op, Conv) else 0
            size += (op.kernel - 1) * jump
            start -= padding * jump
            jump *= op.stride
    return Field(size, jump, start)
