"""Windows: the cells of every lower map that can change one unit, from the graph."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, assert_never

from jaxtyping import Int64

from pipeline.network.graph import Graph, Node
from pipeline.network.ops import (
    Add,
    BatchNorm,
    Cat,
    ChannelNorm,
    Conv,
    Curve,
    Dropout,
    Input,
    Linear,
    LocalResponseNorm,
    MapNorm,
    MaxPool,
    MeanPool,
    Mul,
    Pad,
    Resample,
    Scale,
    Select,
)
from pipeline.network.window import Pair, Window

if TYPE_CHECKING:
    from torch import Tensor
else:  # by those who hold tensors: most of what needs geometry needs no torch, which takes seconds
    Tensor = Any


@dataclass(frozen=True)
class AxisWindow:
    """The window of a layer's units on one map, along one axis."""

    start: int
    """First cell of the window of unit 0; negative where it reaches outside the map."""
    jump: int
    """Cells between the windows of neighbouring units; 0 where all units share one."""
    size: int
    """Cells in the window, those outside the map included."""
    cells: int
    """Cells on the map."""

    @property
    def whole(self) -> bool:
        """Whether the window is the map, for every unit."""
        return self.jump == 0 and self.start == 0 and self.size == self.cells

    def first(self, cell: Int64[Tensor, "*entry"]) -> Int64[Tensor, "*entry"]:
        """The first cell of the windows of units at some cells of their layer."""
        return cell * self.jump + self.start

    def cells_of(self, cell: Int64[Tensor, " entry"]) -> Int64[Tensor, "entry cell"]:
        """The cells of each window, by their place on the map."""
        import torch  # here: see Tensor

        return self.first(cell)[:, None] + torch.arange(self.size)


Windows = tuple[AxisWindow, AxisWindow]
"""Along rows, along columns."""
Limit = Callable[[AxisWindow], AxisWindow]
"""What a window becomes that may be larger than its map."""


def whole_map(cells: int) -> AxisWindow:
    """The window of units that see a whole map."""
    return AxisWindow(0, 0, cells, cells)


def seed_of(graph: Graph, layer: str) -> int:
    """The node from which a layer's signal goes down: below the layer's own activation function."""
    node = graph.layer(layer).node
    above = graph.nodes[node]
    return above.inputs[0] if isinstance(above.op, Curve) else node


def windows(graph: Graph, seed: int, *, bounded: bool = True) -> dict[int, Windows]:
    """The windows of a node's units on the output of every node that their signal comes from.

    Windows are not clipped: all of a map are of one size. Where paths join, a window is the hull of
    all that reach it; from the size of the map on it is the whole map, and so is all below it.
    Where they are not bounded, they grow past the map instead, and pass by the norm of a map: they
    then tell where a unit is that sees the whole image.
    """
    # Clipped, windows at an edge would be smaller, and units could not be one batch of equal
    # patches. So they keep their size, and `Cells` says which cells are not on the map.
    limit = _bounded if bounded else _unbounded
    rows, cols = (limit(AxisWindow(0, 1, 1, cells)) for cells in graph.nodes[seed].shape[1:])
    found = {seed: (rows, cols)}
    for position in reversed(graph.ancestors(seed)):
        if position in found:
            node = graph.nodes[position]
            for feeding in signal_inputs(node):
                below = below_of(node, graph.nodes[feeding], found[position], limit)
                found[feeding] = _joined(found.get(feeding), below, limit)
    return found


def signal_inputs(node: Node) -> tuple[int, ...]:
    """The inputs of a node that its signal comes from: all but the gate of a product."""
    inputs = tuple(dict.fromkeys(node.inputs))
    return inputs[:1] if isinstance(node.op, Mul) else inputs


def _joined(known: Windows | None, more: Windows, limit: Limit) -> Windows:
    if known is None:
        return more
    rows, cols = (_hull(one, other, limit) for one, other in zip(known, more, strict=True))
    return rows, cols


def _hull(one: AxisWindow, other: AxisWindow, limit: Limit) -> AxisWindow:
    """The smallest window that holds both; the whole map where they move at different paces."""
    if one.jump != other.jump:
        # Two windows that drift apart: the size of their hull would differ from unit to unit.
        return whole_map(one.cells)
    start = min(one.start, other.start)
    stop = max(one.start + one.size, other.start + other.size)
    return limit(AxisWindow(start, one.jump, stop - start, one.cells))


def _bounded(window: AxisWindow) -> AxisWindow:
    return whole_map(window.cells) if window.size >= window.cells else window


def _unbounded(window: AxisWindow) -> AxisWindow:
    return window


def below_of(node: Node, feeding: Node, above: Windows, limit: Limit) -> Windows:
    """The windows on a map that feeds a node, of those on the map that the node makes."""
    sizes: Pair = feeding.shape[1], feeding.shape[2]
    op = node.op
    reached: list[AxisWindow] = [
        whole_map(cells) if window.whole else replace(window, cells=cells)
        for window, cells in zip(above, sizes, strict=True)
    ]
    match op:
        case Conv() | MaxPool() | MeanPool():
            rows, cols = (
                window if window.whole else limit(reach_of(op.window, axis, window, sizes[axis]))
                for axis, window in enumerate(reached)
            )
            return rows, cols
        case Pad():
            rows, cols = (
                window
                if window.whole
                else limit(replace(window, start=window.start - op.before[axis]))
                for axis, window in enumerate(reached)
            )
            return rows, cols
        case Linear() if op.per_cell:
            return above
        case MapNorm() if limit is _unbounded:
            return above
        case Linear() | Resample() | MapNorm():  # every cell may come from every other
            return whole_map(sizes[0]), whole_map(sizes[1])
        case (
            Curve()
            | BatchNorm()
            | Scale()
            | Add()
            | Mul()
            | Cat()
            | Select()
            | LocalResponseNorm()
            | ChannelNorm()
            | Dropout()
            | Input()
        ):
            # A smaller map is broadcast, so that each cell may read all of it.
            return above if node.shape[1:] == sizes else (whole_map(sizes[0]), whole_map(sizes[1]))
        case _:
            assert_never(op)


def reach_of(window: Window, axis: int, above: AxisWindow, cells: int) -> AxisWindow:
    """What the moving windows of an operation read of a map below, along one axis, padding
    included, to make a window above."""
    stride = window.stride[axis]
    return AxisWindow(
        start=above.start * stride - window.before[axis],
        jump=above.jump * stride,
        size=(above.size - 1) * stride + window.extent[axis],
        cells=cells,
    )
