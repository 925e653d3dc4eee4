"""Receptive fields and windows: the part of every map that one unit can reach, from the graph."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

import numpy as np
import torch
from jaxtyping import Bool, Int32, Int64
from torch import Tensor

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
    Pair,
    Resample,
    Scale,
    Select,
    Window,
)


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

    def first(self, cell: Int64[Tensor, "*entry"]) -> Int64[Tensor, "*entry"]:
        """The first cell of the windows of units at some cells of their layer."""
        return cell * self.jump + self.start

    def inside(self, cell: Int64[Tensor, " entry"]) -> Bool[Tensor, "entry cell"] | None:
        """Which cells of each window lie on the map; None where all of them do."""
        first = self.first(cell)
        if bool((first >= 0).all()) and bool((first + self.size <= self.cells).all()):
            return None
        cells = first[:, None] + torch.arange(self.size)
        return (cells >= 0) & (cells < self.cells)


Windows = tuple[AxisWindow, AxisWindow]
"""Along rows, along columns."""


def whole_map(cells: int) -> AxisWindow:
    """The window of units that see a whole map."""
    return AxisWindow(0, 0, cells, cells)


@dataclass(frozen=True)
class Field:
    """The receptive field of a layer's units, in input pixels."""

    rows: AxisWindow
    cols: AxisWindow

    @property
    def size(self) -> Pair:
        """Rows and columns of the pixels that can reach one unit."""
        return self.rows.size, self.cols.size

    def boxes(self, cells: Int32[np.ndarray, "*entry 2"]) -> Int32[np.ndarray, "*entry 4"]:
        """Boxes (top, left, bottom, right) of (row, col) cells: half-open, not clipped."""
        jump = np.array([self.rows.jump, self.cols.jump])
        first = cells * jump + np.array([self.rows.start, self.cols.start])
        return np.concatenate([first, first + np.array(self.size)], axis=-1).astype(np.int32)


def receptive_field(graph: Graph, layer: str) -> Field:
    """The field of one layer; a unit of a fully connected layer sees the image."""
    return Field(*(whole_map(w.cells) if w.jump == 0 else w for w in windows(graph, layer)[0]))


def windows(graph: Graph, layer: str) -> dict[int, Windows]:
    """A layer's windows on the output of every node that its units depend on.

    Windows are not clipped: all of a map are of one size. Where paths join, a window is the hull of
    all that reach it.
    """
    source = graph.layer(layer).source
    found = {source: _units(graph.nodes[source])}
    for position in reversed(graph.ancestors(source)):
        node = graph.nodes[position]
        for feeding in dict.fromkeys(node.inputs):
            below = _below(node, graph.nodes[feeding], found[position])
            found[feeding] = _joined(found.get(feeding), below)
    return found


def _units(node: Node) -> Windows:
    rows, cols = (AxisWindow(0, 1, 1, cells) for cells in node.shape[1:])
    return rows, cols


def _joined(known: Windows | None, more: Windows) -> Windows:
    if known is None:
        return more
    rows, cols = (_hull(one, other) for one, other in zip(known, more, strict=True))
    return rows, cols


def _hull(one: AxisWindow, other: AxisWindow) -> AxisWindow:
    """The smallest window that holds both; the whole map where they move at different paces."""
    if one.jump != other.jump:
        return whole_map(one.cells)
    start = min(one.start, other.start)
    stop = max(one.start + one.size, other.start + other.size)
    return AxisWindow(start, one.jump, stop - start, one.cells)


def _below(node: Node, feeding: Node, above: Windows) -> Windows:
    """The windows on a map that feeds a node, of those on the map that the node makes."""
    sizes: Pair = feeding.shape[1], feeding.shape[2]
    op = node.op
    match op:
        case Conv() | MaxPool() | MeanPool():
            return _spread(op.window, above, sizes)
        case Pad():
            rows, cols = (
                AxisWindow(window.start - before, window.jump, window.size, cells)
                for window, before, cells in zip(above, op.before, sizes, strict=True)
            )
            return rows, cols
        case Linear() if op.per_cell:
            return above
        case Linear() | Resample() | MapNorm():
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
            return above if node.shape[1:] == sizes else (whole_map(sizes[0]), whole_map(sizes[1]))
        case _:
            assert_never(op)


def _spread(window: Window, above: Windows, sizes: Sequence[int]) -> Windows:
    rows, cols = (
        AxisWindow(
            start=wide.start * window.stride[axis] - window.before[axis],
            jump=wide.jump * window.stride[axis],
            size=(wide.size - 1) * window.stride[axis] + window.extent[axis],
            cells=sizes[axis],
        )
        for axis, wide in enumerate(above)
    )
    return rows, cols
