"""Receptive fields: the pixels of the input that can change a unit, from the graph."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int32, Int64

from pipeline.network.geometry import AxisWindow, Windows, seed_of, windows
from pipeline.network.graph import Graph
from pipeline.network.ops import BatchNorm, Cat, Curve, Dropout, Scale, Select
from pipeline.network.window import Pair


@dataclass(frozen=True)
class Field:
    """The receptive field of a layer's units, in input pixels.

    The channels of a concatenation see as much as the branch that they come from; the field of the
    layer, its pictures' size, is the hull of all branches.
    """

    rows: AxisWindow
    cols: AxisWindow
    branches: tuple[Windows, ...] = ()
    """The fields of the branches; empty where all channels have the layer's."""
    branch: tuple[int, ...] = ()
    """By channel, which of the branches it comes from."""

    @property
    def size(self) -> Pair:
        """Rows and columns of the pixels that can reach one unit."""
        return self.rows.size, self.cols.size

    def boxes(self, cells: Int32[np.ndarray, "*entry 2"]) -> Int32[np.ndarray, "*entry 4"]:
        """Frames of pictures (top, left, bottom, right) of (row, col) cells: half-open, not
        clipped, of one size; the boxes of units but in a concatenation."""
        return _boxes(cells, *(np.array(values) for values in _numbers((self.rows, self.cols))))

    def unit_boxes(
        self, channel: Int64[np.ndarray, "*entry"], cells: Int32[np.ndarray, "*entry 2"]
    ) -> Int32[np.ndarray, "*entry 4"]:
        """The boxes of units: what can reach each, half-open, not clipped."""
        if not self.branches:
            return self.boxes(cells)
        which = np.array(self.branch)[channel]
        numbers = np.array([_numbers(branch) for branch in self.branches])
        return _boxes(cells, *(numbers[which, part] for part in range(3)))

    def channel_sizes(self) -> list[Pair] | None:
        """Rows and columns of each channel's box; None where all have the layer's."""
        if not self.branches:
            return None
        return [
            (rows.size, cols.size) for rows, cols in map(self.branches.__getitem__, self.branch)
        ]


def _numbers(field: Windows) -> tuple[Pair, Pair, Pair]:
    """Jump, start and size along rows and columns."""
    rows, cols = field
    return (rows.jump, cols.jump), (rows.start, cols.start), (rows.size, cols.size)


def _boxes(
    cells: Int32[np.ndarray, "*entry 2"],
    jump: Int64[np.ndarray, "*#entry 2"],
    start: Int64[np.ndarray, "*#entry 2"],
    size: Int64[np.ndarray, "*#entry 2"],
) -> Int32[np.ndarray, "*entry 4"]:
    first = cells * jump + start
    return np.concatenate([first, first + size], axis=-1).astype(np.int32)


def receptive_field(graph: Graph, layer: str) -> Field:
    """The field of one layer: along an axis on which it is as large as the image, the image.

    A gate sees everything; the field follows the signal that it multiplies alone.
    """
    seed = seed_of(graph, layer)
    sources = _sources(graph, seed)
    found = {source: windows(graph, source)[0] for source in dict.fromkeys(sources)}
    branches = tuple(dict.fromkeys(found.values()))
    whole = windows(graph, seed)[0]
    if branches == (whole,):
        return Field(*whole)
    return Field(*whole, branches, tuple(branches.index(found[source]) for source in sources))


def _sources(graph: Graph, position: int) -> list[int]:
    """By channel, the node below a node's concatenations that the channel comes from."""
    node = graph.nodes[position]
    match node.op:
        case Cat():
            return [source for below in node.inputs for source in _sources(graph, below)]
        case Select():
            below = _sources(graph, node.inputs[0])
            return [below[channel] for channel in node.op.channels]
        case BatchNorm() | Scale() | Curve() | Dropout():
            return _sources(graph, node.inputs[0])
        case _:
            return [position] * node.shape[0]
