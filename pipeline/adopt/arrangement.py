"""Tensors of a module as arrangements of a map's cells.

What views, permutations, splits and the like do to a tensor, they do to the positions of its
entries: an arrangement runs them on positions, and then looks what came out.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from jaxtyping import Int64, Shaped
from torch import Tensor

from pipeline.network.ops import Shape


@dataclass(frozen=True)
class Arrangement:
    """A tensor whose entries are cells of a node's map."""

    node: int
    map: Shape
    """Channels, rows, columns of the node."""
    shape: tuple[int, ...]
    """Of the tensor; one image in front."""
    order: Int64[Tensor, "..."] | None = None
    """By entry, its position in the flattened map; None: the map itself, in its own order."""

    @property
    def cells(self) -> Int64[Tensor, "..."]:
        """By entry of the tensor, its position in the flattened map."""
        if self.order is not None:
            return self.order
        channels, rows, cols = self.map
        return torch.arange(channels * rows * cols).reshape(self.shape)

    @cached_property
    def whole(self) -> bool:
        """Whether every cell of the map is there once."""
        if self.order is None:
            return True
        channels, rows, cols = self.map
        flat = self.order.flatten()
        return len(flat) == channels * rows * cols and bool((flat.bincount() == 1).all())

    def on(self, node: int) -> "Arrangement":
        """The same arrangement of another node's map."""
        return replace(self, node=node)

    def rearranged(self, cells: Int64[Tensor, "..."]) -> "Arrangement":
        """Another tensor of the same map's cells."""
        in_order = cells.numel() == math.prod(self.map) and bool(
            cells.flatten().equal(torch.arange(cells.numel()))
        )
        return Arrangement(self.node, self.map, tuple(cells.shape), None if in_order else cells)

    def as_shape(self, shape: Sequence[int]) -> "Arrangement":
        """The same entries in the same order, in another shape."""
        return self.rearranged(self.cells.reshape(tuple(shape)))

    def channels_last(self, shape: Sequence[int]) -> "Arrangement":
        """The map's cells in a tensor whose last axis is the channels."""
        return self.rearranged(self.cells.reshape(self.map[0], -1).T.reshape(tuple(shape)))

    def same_as(self, other: "Arrangement") -> bool:
        """Whether two arrangements order maps of one shape alike."""
        return (
            self.map == other.map
            and self.shape == other.shape
            and ((self.order is None and other.order is None) or self.cells.equal(other.cells))
        )

    def on_map(self, values: Tensor) -> Shaped[Tensor, "channel cell"]:
        """Values that broadcast to the tensor, at the map's cells. The arrangement must be
        whole."""
        spread = torch.empty(self.cells.numel(), dtype=values.dtype)
        spread[self.cells.flatten()] = values.broadcast_to(self.shape).flatten()
        return spread.reshape(self.map[0], -1)

    def by_channel(self, values: Tensor) -> Tensor | None:
        """The same as one value per channel of the map; None where they differ within one."""
        rows = self.on_map(values)
        return rows[:, 0].clone() if bool((rows == rows[:, :1]).all()) else None


@dataclass(frozen=True)
class Cutout:
    """A regular part of a map: some channels, and every so many rows and columns from a first."""

    channels: tuple[int, ...]
    first: tuple[int, int]
    step: tuple[int, int]
    size: tuple[int, int]


def cutout(of: Shape, shape: Sequence[int], cells: Int64[Tensor, "..."]) -> Cutout | None:
    """The part of a map that a tensor (1, channels, rows, columns) or (1, features) is; None
    where it is not a regular part."""
    if len(shape) not in (2, 4) or shape[0] != 1 or 0 in shape:
        return None
    grid = cells.reshape(*shape[1:], *([1, 1] if len(shape) == 2 else []))
    _, rows, cols = of
    corner = int(grid[0, 0, 0]) % (rows * cols)
    down = int(grid[0, 1, 0] - grid[0, 0, 0]) if grid.shape[1] > 1 else cols
    right = int(grid[0, 0, 1] - grid[0, 0, 0]) if grid.shape[2] > 1 else 1
    if down < 0 or right < 0 or down % cols:
        return None
    channels = grid[:, 0, 0] // (rows * cols)
    expected = (
        (channels * rows * cols + corner).reshape(-1, 1, 1)
        + torch.arange(grid.shape[1]).reshape(-1, 1) * down
        + torch.arange(grid.shape[2]) * right
    )
    if not grid.equal(expected):
        return None
    return Cutout(
        tuple(channels.tolist()),
        divmod(corner, cols),
        (down // cols, right),
        (grid.shape[1], grid.shape[2]),
    )


@dataclass(frozen=True)
class Piece:
    """A regular part of a map, and where in a tensor its channels are."""

    part: Cutout
    places: tuple[int, ...]


def pieces(of: Shape, shape: Sequence[int], cells: Int64[Tensor, "..."]) -> list[Piece]:
    """The regular parts of a map that the channels of a tensor (1, channels, rows, columns) or
    (1, features) are; none where one of them is not a regular part."""
    if len(shape) not in (2, 4) or shape[0] != 1 or 0 in shape:
        return []
    channels = cells.reshape(shape[1], -1)
    _, kind_of = torch.unique(channels % (of[1] * of[2]), dim=0, return_inverse=True)
    found = []
    for kind in kind_of.unique():
        places = (kind_of == kind).nonzero().flatten()
        part = cutout(of, (1, len(places), *shape[2:]), cells[:, places])
        if part is None:
            return []
        found.append(Piece(part, tuple(places.tolist())))
    return found
