"""Windows: the part of every map that one unit can reach, from the chain alone."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int64
from torch import Tensor

from pipeline.network.chain import Chain, Conv, Linear, MaxPool


@dataclass(frozen=True)
class Span:
    """A unit's window on one map, along one axis; the same for rows and columns."""

    size: int
    """Cells in the window, those outside the map included."""
    jump: int
    """Cells between the windows of neighbouring units."""
    start: int
    """First cell of the window of unit 0; negative where it reaches outside the map."""
    map_size: int
    """Cells on the map."""

    def first(self, cell: Int64[Tensor, "entry 2"]) -> Int64[Tensor, "entry 2"]:
        """The first (row, col) of the windows of units at (row, col) cells of their layer."""
        return cell * self.jump + self.start

    def inside(self, cell: Int64[Tensor, "entry 2"]) -> Bool[Tensor, "entry 1 row col"] | None:
        """Which cells of each window lie on the map; None where all of them do."""
        first = self.first(cell)
        if bool((first >= 0).all()) and bool((first + self.size <= self.map_size).all()):
            return None
        cells = first[:, :, None] + torch.arange(self.size)
        on_map = (cells >= 0) & (cells < self.map_size)
        return on_map[:, 0, None, :, None] & on_map[:, 1, None, None, :]


def spans(chain: Chain, layer: str) -> tuple[Span, ...]:
    """A unit's window on the map that feeds each operation, from the image up to the layer.

    `spans(chain, layer)[i]` belongs to the input of `chain.ops[i]`; the first is the box in pixels.
    The list ends at the layer's own convolution, or, for a fully connected layer, whose units see
    everything, at the first linear operation. Windows are not clipped: all are of one size.
    """
    last = trunk_end(chain, layer)
    top = Span(1, 1, 0, chain.map_size(layer))
    if isinstance(chain.op(layer), Linear):
        top = Span(_fed(chain, last), 0, 0, _fed(chain, last))
    found = [top]
    for position in reversed(range(last + 1)):
        found.append(_below(chain, position, found[-1]))
    return tuple(reversed(found[1:]))


def trunk_end(chain: Chain, layer: str) -> int:
    """Position of the highest operation on maps that a layer's signal passes on its way down:
    its own convolution, or the first linear operation of the chain."""
    position = chain.position(layer)
    linear = (at for at, op in chain.weighted() if isinstance(op, Linear))
    return min(position, next(linear, position))


def pools_below(chain: Chain, layer: str) -> tuple[int, ...]:
    """Positions of the pools that a layer's signal passes on its way down."""
    ops = enumerate(chain.ops[: chain.position(layer)])
    return tuple(position for position, op in ops if isinstance(op, MaxPool))


def _fed(chain: Chain, position: int) -> int:
    """Side of the map that feeds an operation."""
    return chain.sizes[position - 1] if position else chain.input_px


def _below(chain: Chain, position: int, above: Span) -> Span:
    """The window on the map that feeds an operation, of the window on the map it makes."""
    op, size = chain.ops[position], _fed(chain, position)
    if not isinstance(op, Conv | MaxPool):
        return Span(above.size, above.jump, above.start, size)
    padding = op.padding if isinstance(op, Conv) else 0
    return Span(
        size=(above.size - 1) * op.stride + op.kernel,
        jump=above.jump * op.stride,
        start=above.start * op.stride - padding,
        map_size=size,
    )
