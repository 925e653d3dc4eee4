"""Reach: the cells of every map that a change in one patch of pixels can alter.

The windows of `network/geometry.py` turned around: those go down from a unit, these up from pixels.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Int64
from torch import Tensor

from pipeline.network.window import Window


@dataclass(frozen=True)
class AxisReach:
    """Windows on one map, along one axis, all of one size and inside the map; one per place."""

    first: Int64[Tensor, " place"]
    size: int
    cells: int
    """Cells on the map."""

    @property
    def whole(self) -> bool:
        """Whether every window is the map."""
        return self.size == self.cells

    def indices(self) -> Int64[Tensor, "place cell"]:
        """The cells of every window."""
        return self.first[:, None] + torch.arange(self.size, device=self.first.device)

    def to_map(self) -> "Read":
        """What reads the whole map, for every place."""
        return torch.zeros_like(self.first), self.cells


Reach = tuple[AxisReach, AxisReach]
"""Along rows, along columns."""
Read = tuple[Int64[Tensor, " place"], int]
"""Cells that are read along one axis: the first, off the map where it is negative; how many."""


def axis_reach(first: Int64[Tensor, " place"], size: int, cells: int) -> AxisReach:
    """Windows of `size` that begin at `first`, but for what they have off the map.

    All are as large as the largest that is left, moved inside the map.
    """
    start, stop = first.clamp(0, cells), (first + size).clamp(0, cells)
    left = max(1, int((stop - start).max()))
    return AxisReach(start.clamp(max=cells - left), left, cells)


def whole(places: Int64[Tensor, " place"], cells: int) -> AxisReach:
    """The whole map for every place."""
    return AxisReach(torch.zeros_like(places), cells, cells)


def above(window: Window, axis: int, below: AxisReach, cells: int) -> AxisReach:
    """The outputs of a sliding window that read at least one of the cells below."""
    stride, extent, before = window.stride[axis], window.extent[axis], window.before[axis]
    # The first output whose last cell is not before the first one changed: a ceiling division.
    first = -(-(below.first + before - extent + 1) // stride)
    return axis_reach(first, (below.size + extent - 2) // stride + 1, cells)


def read_by(window: Window, axis: int, outputs: AxisReach) -> Read:
    """The cells that some outputs of a sliding window read."""
    first = outputs.first * window.stride[axis] - window.before[axis]
    return first, (outputs.size - 1) * window.stride[axis] + window.extent[axis]


def hull(one: AxisReach, other: AxisReach) -> AxisReach:
    """Windows of one size that hold both, place by place."""
    first = torch.minimum(one.first, other.first)
    last = torch.maximum(one.first + one.size, other.first + other.size)
    return axis_reach(first, int((last - first).max()), one.cells)
