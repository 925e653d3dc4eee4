"""The deconvnet on windows: from single units back to the pixels of their boxes."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64, UInt8
from torch import Tensor

from pipeline.network.geometry import Windows, windows
from pipeline.network.graph import Graph
from pipeline.network.module import Network
from pipeline.network.ops import Conv, Curve, Linear, MaxPool
from pipeline.project.adjoints import CACHE_BYTES, transpose, unpool

Switches = Mapping[int, UInt8[Tensor, "_ _ _ _"]]
"""By the node of each pool (entry, row, col, channel): for every cell of the windows on the
pooled map, where in its own pooling window the maximum stood, counted row by row; of equal values
the first counts. A byte per cell."""


@dataclass(frozen=True)
class Units:
    """The units to project, one per entry, all of one layer."""

    channel: Int64[Tensor, " entry"]
    cell: Int64[Tensor, "entry 2"]
    """(row, col) on the layer's map, on the CPU; 0, 0 in a fully connected layer."""
    activation: Float[Tensor, " entry"]
    """Where the signal starts."""


class Deconvnet:
    """The reverse path from one layer (paper.md, section 3).

    Unpooling adds up at shared switches, the signal is rectified where the network has a ReLU,
    contrast norm and dropout are passed by, biases play no part, and the pixels stay signed.
    Only the window that a unit can reach is computed; cells outside a map carry nothing.
    """

    def __init__(self, network: Network, layer: str) -> None:
        self._nodes = network.graph.nodes
        self._source = network.graph.layer(layer).source
        self._windows = windows(network.graph, layer)
        self._top = highest_map(network.graph, layer)
        self._convs = {
            at: transpose(node.op, network.tensor(node.op.weight))
            for at, node in enumerate(self._nodes[: self._top + 1])
            if isinstance(node.op, Conv)
        }
        self._linears = {
            at: network.tensor(node.op.weight)
            for at, node in enumerate(self._nodes)
            if isinstance(node.op, Linear)
        }

    def __call__(self, units: Units, switches: Switches) -> Float[Tensor, "entry row col rgb"]:
        """Project units to the pixels of their boxes; pixels outside the image are 0.

        A box is the field of the layer, not clipped; in a fully connected layer, the image.
        """
        signal, position = self._start(units)
        pixels = self._descend(position, signal, units.cell, switches)
        return self._to_image(pixels) if self._windows[0][0].jump == 0 else pixels

    def _descend(
        self,
        position: int,
        signal: Float[Tensor, "entry row col channel"],
        cell: Int64[Tensor, "entry 2"],
        switches: Switches,
    ) -> Float[Tensor, "entry box_row box_col rgb"]:
        """From the output of a node to the pixels.

        Entries part into slices where all their maps together would leave the cache.
        """
        for at in range(position, 0, -1):
            op = self._nodes[at].op
            if isinstance(op, MaxPool) and len(signal) > (fit := self._fitting(at, signal)):
                slices = [slice(first, first + fit) for first in range(0, len(signal), fit)]
                parts = (
                    self._descend(at, signal[some], cell[some], _some(switches, some))
                    for some in slices
                )
                return torch.cat(list(parts))
            match op:
                case Curve():
                    signal = signal.relu_()
                case MaxPool():
                    signal = unpool(op.window, signal, switches[at])
                case Conv():
                    signal = self._on_map(at - 1, self._convs[at](signal), cell)
        return signal

    def _fitting(self, at: int, signal: Float[Tensor, "entry row col channel"]) -> int:
        """Entries whose maps below an operation fit in a cache."""
        rows, cols = self._windows[at - 1]
        return max(1, CACHE_BYTES // (rows.size * cols.size * signal[0, 0, 0].nbytes))

    def _start(self, units: Units) -> tuple[Float[Tensor, "entry row col channel"], int]:
        """The signal on the highest map below the units, and that map's node."""
        if self._source in self._linears:
            return self._through_linears(units), self._top
        signal = self._convs[self._source].from_units(units.channel, units.activation)
        return self._on_map(self._source - 1, signal, units.cell), self._source - 1

    def _through_linears(self, units: Units) -> Float[Tensor, "entry row col channel"]:
        signal = self._linears[self._source][units.channel] * units.activation[:, None]
        for at in range(self._source - 1, self._top, -1):
            if isinstance(self._nodes[at].op, Curve):
                signal = signal.relu_()
            elif at in self._linears:
                signal = signal @ self._linears[at]
        return signal.view(len(signal), *self._nodes[self._top].shape).permute(0, 2, 3, 1)

    def _on_map(
        self,
        at: int,
        signal: Float[Tensor, "entry row col channel"],
        cell: Int64[Tensor, "entry 2"],
    ) -> Float[Tensor, "entry row col channel"]:
        """Drop what fell on padding: cells outside the map that a node makes."""
        inside = inside_map(self._windows[at], cell)
        if inside is None:
            return signal
        return signal.mul_(inside.permute(0, 2, 3, 1).to(signal))

    def _to_image(
        self, pixels: Float[Tensor, "entry window_row window_col rgb"]
    ) -> Float[Tensor, "entry row col rgb"]:
        """Cut the image out of a window that covers it all."""
        rows, cols = (
            slice(-window.start, window.cells - window.start) for window in self._windows[0]
        )
        return pixels[:, rows, cols]


def inside_map(
    window: Windows, cell: Int64[Tensor, "entry 2"]
) -> Bool[Tensor, "entry 1 row col"] | None:
    """Which cells of each window lie on the map; None where all of them do."""
    row_wise, col_wise = (axis.inside(cell[:, at]) for at, axis in enumerate(window))
    if row_wise is None and col_wise is None:
        return None
    rows, cols = (axis.size for axis in window)
    on_rows = torch.ones(len(cell), rows).bool() if row_wise is None else row_wise
    on_cols = torch.ones(len(cell), cols).bool() if col_wise is None else col_wise
    return on_rows[:, None, :, None] & on_cols[:, None, None, :]


def highest_map(graph: Graph, layer: str) -> int:
    """The highest node whose maps a layer's signal passes on its way down: its own, or the one
    that feeds the first linear operation."""
    source = graph.layer(layer).source
    linear = (at for at, node in enumerate(graph.nodes) if isinstance(node.op, Linear))
    first = next(linear, source + 1)
    return min(source, first - 1)


def pools_below(graph: Graph, layer: str) -> tuple[int, ...]:
    """The nodes of the pools that a layer's signal passes on its way down."""
    nodes = enumerate(graph.nodes[: graph.layer(layer).source])
    return tuple(at for at, node in nodes if isinstance(node.op, MaxPool))


def _some(switches: Switches, entries: slice) -> Switches:
    return {at: taken[entries] for at, taken in switches.items()}
