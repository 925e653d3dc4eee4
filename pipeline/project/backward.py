"""The way of a signal backwards through single operations of a graph, on windows."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import torch
from jaxtyping import Float, Int64, Shaped
from torch import Tensor

from pipeline.network.functions import mean_shares, resampling
from pipeline.network.geometry import AxisWindow, Windows, reach_of, whole_map
from pipeline.network.graph import Node
from pipeline.network.module import Network
from pipeline.network.ops import (
    Add,
    Cat,
    ChannelNorm,
    Conv,
    Curve,
    Dropout,
    Linear,
    LocalResponseNorm,
    MapNorm,
    MaxPool,
    MeanPool,
    Mul,
    Op,
    Pad,
    Resample,
    Scale,
    Select,
)
from pipeline.network.window import Pair
from pipeline.params import Method
from pipeline.project.adjoints import FlippedConv, Signal, below_units, single_units, transpose
from pipeline.project.placement import Cells, on_windows, placed
from pipeline.project.unpooling import spread, unpool

Switches = Mapping[int, Shaped[Tensor, "_ _ _ _"]]
"""By node (entry, row, col, channel), what the way down needs of the forward pass there. Of a max
pool: for every cell of the windows on the pooled map, where in its own pooling window the maximum
was, counted row by row; of equal values the first counts; a byte per cell. Of an activation
function its slope, of a product its gate, of a norm the reciprocal of its deviation."""


class BackwardSteps:
    """Each operation below a layer, backwards, on the windows of the layer's units.

    A signal is on the window of a node's map, (entry, row, col, channel), and 0 off the map. A
    signal that is passed in may be overwritten. Units are of the nodes `starts`.
    """

    def __init__(
        self,
        network: Network,
        windows: Mapping[int, Windows],
        method: Method,
        starts: Collection[int],
    ) -> None:
        self._network, self._nodes, self._method = network, network.graph.nodes, method
        self._windows = windows
        self._reaches = {
            at: self._reach(at, op)
            for at in windows
            if isinstance(op := self._nodes[at].op, Conv | MaxPool | MeanPool)
        }
        self._convs = {
            at: transpose(op, network.tensor(op.weight), *self._sizes(at))
            for at in windows
            if isinstance(op := self._nodes[at].op, Conv)
        }
        self._filters = {
            at: network.tensor(op.weight).permute(0, 2, 3, 1).contiguous()
            for at in starts
            if isinstance(op := self._nodes[at].op, Conv)
            and all(axis.size == 1 for axis in windows[at])
        }

    def from_units(
        self,
        at: int,
        channel: Int64[Tensor, " entry"],
        activation: Float[Tensor, " entry"],
        cell: Cells,
    ) -> dict[int, Signal]:
        """The signal of single units of a node: below it where that is cheap, else on it."""
        op = self._nodes[at].op
        if isinstance(op, Conv) and at in self._filters:
            signal = below_units(op, self._filters[at], channel, activation)
            return {self._nodes[at].inputs[0]: self._read(at, signal, cell)}
        if isinstance(op, Linear) and not op.per_cell:
            rows = self._tensor(op.weight)[channel] * activation[:, None]
            return {self._nodes[at].inputs[0]: self._unflattened(at, rows)}
        unit = [AxisWindow(0, 1, 1, axis.cells) for axis in self._windows[at]]
        signal = single_units(channel, activation, self._nodes[at].shape[0])
        return {at: placed(signal, unit, self._windows[at], cell)}

    def __call__(
        self, at: int, signal: Signal, cell: Cells, switches: Switches
    ) -> Sequence[tuple[int, Signal]]:
        """The signals on the inputs of a node, of the signal on its output."""
        op, below = self._nodes[at].op, self._nodes[at].inputs
        match op:
            case Conv():
                conv = self._convs[at]
                made = conv(signal)
                if not (isinstance(conv, FlippedConv) and conv.on_map):
                    made = self._read(at, made, cell)
                return [(below[0], made)]
            case MaxPool():
                unpooled = unpool(op.window, signal, switches[at])
                return [(below[0], self._read(at, unpooled, cell))]
            case MeanPool():
                return [(below[0], self._read(at, self._spread(at, op, signal, cell), cell))]
            case Pad():
                return [(below[0], self._unpadded(at, op, signal, cell))]
            case Resample():
                return [(below[0], self._resampled(at, op, signal, cell))]
            case MapNorm():
                return [(below[0], self._normed_map(at, op, signal, cell, switches[at]))]
            case Linear() if not op.per_cell:
                features = signal.flatten(1) @ self._tensor(op.weight)
                return [(below[0], self._unflattened(at, features))]
            case Add():
                parts = [signal for _ in below]
            case Cat():
                widths = [self._nodes[feeding].shape[0] for feeding in below]
                parts = list(torch.split(signal, widths, dim=3))
            case _:
                parts = [self._through(at, op, signal, switches)]
        return [
            (to, placed(part, self._windows[at], self._windows[to], cell))
            for to, part in zip(below, parts, strict=False)
        ]

    def _through(self, at: int, op: Op, signal: Signal, switches: Switches) -> Signal:
        """The signal below an operation that works on each cell alone."""
        match op:
            case Curve():
                signal = signal if self._method == "gradient" else signal.relu_()
                return signal if self._method == "deconvnet" else signal.mul_(switches[at])
            case Scale():
                return signal if op.factor is None else signal.mul_(self._tensor(op.factor))
            case Mul():
                return signal * switches[at]
            case Linear():
                return signal @ self._tensor(op.weight)
            case Select():
                wide = signal.new_zeros(*signal.shape[:3], self._below(at).shape[0])
                return wide.index_add_(3, torch.tensor(op.channels, device=signal.device), signal)
            case ChannelNorm():
                weighted = signal if op.weight is None else signal * self._tensor(op.weight)
                scaled = weighted * switches[at]
                return scaled - scaled.mean(dim=3, keepdim=True)
            case LocalResponseNorm() | Dropout():
                return signal
            case _:
                raise ValueError(f"no signal passes {op} cell by cell")

    def _read(self, at: int, signal: Signal, cell: Cells) -> Signal:
        """What moving windows of a node read, on the window of the map that feeds it."""
        feeding = self._nodes[at].inputs[0]
        moved = placed(signal, self._reaches[at], self._windows[feeding], cell)
        return self._on_map(feeding, moved, cell)

    def _on_map(self, at: int, signal: Signal, cell: Cells) -> Signal:
        """Drop what fell on padding: cells outside the map that a node makes."""
        inside = cell.inside(self._windows[at])
        return signal if inside is None else signal.mul_(inside.to(signal))

    def _unpadded(self, at: int, op: Pad, signal: Signal, cell: Cells) -> Signal:
        feeding = self._nodes[at].inputs[0]
        have = [
            replace(axis, start=axis.start - before)
            for axis, before in zip(self._windows[at], op.before, strict=True)
        ]
        return self._on_map(feeding, placed(signal, have, self._windows[feeding], cell), cell)

    def _spread(self, at: int, op: MeanPool, signal: Signal, cell: Cells) -> Signal:
        """A mean's signal, in equal parts on the cells of its windows."""
        size, cells = self._below(at).shape[1:], self._nodes[at].shape[1:]
        shares = mean_shares(op, size, cells, signal)
        rows, cols = on_windows(shares, self._windows[at], cell)
        return spread(op.window, signal * rows[:, :, None, None] * cols[:, None, :, None])

    def _resampled(self, at: int, op: Resample, signal: Signal, cell: Cells) -> Signal:
        whole = self._whole(at, signal, cell)
        like = signal.new_empty(self._below(at).shape[1:])
        rows, cols = resampling(op, like, self._nodes[at].shape[1:])
        return torch.einsum("ercs,rR,cC->eRCs", whole, rows, cols)

    def _normed_map(
        self, at: int, op: MapNorm, signal: Signal, cell: Cells, scale: Tensor
    ) -> Signal:
        weighted = signal if op.weight is None else signal * self._tensor(op.weight)
        whole = self._whole(at, weighted * scale, cell).contiguous()
        groups = whole.view(*whole.shape[:3], op.groups, -1)
        centred: Signal = groups - groups.mean(dim=(1, 2, 4), keepdim=True)
        return centred.flatten(3)

    def _whole(self, at: int, signal: Signal, cell: Cells) -> Signal:
        """A signal on the whole of a node's map."""
        rows, cols = (whole_map(axis.cells) for axis in self._windows[at])
        return placed(signal, self._windows[at], (rows, cols), cell)

    def _unflattened(self, at: int, features: Float[Tensor, "entry feature"]) -> Signal:
        """The features below a fully connected layer as the map that they were."""
        return features.view(len(features), *self._below(at).shape).permute(0, 2, 3, 1)

    def _reach(self, at: int, op: Conv | MaxPool | MeanPool) -> Windows:
        """What a node's moving windows read of the map that feeds it, not clipped."""
        below = self._windows[self._nodes[at].inputs[0]]
        rows, cols = (
            reach_of(op.window, axis, above, below[axis].cells)
            for axis, above in enumerate(self._windows[at])
        )
        return rows, cols

    def _sizes(self, at: int) -> tuple[Pair, Pair]:
        """The window on a convolution's map, and the map below where both windows are whole."""
        rows, cols = self._windows[at]
        below = self._windows[self._nodes[at].inputs[0]]
        whole = all(axis.whole for axis in (rows, cols, *below))
        return (rows.size, cols.size), (below[0].size, below[1].size) if whole else (0, 0)

    def _below(self, at: int) -> Node:
        return self._nodes[self._nodes[at].inputs[0]]

    def _tensor(self, name: str) -> Float[Tensor, "..."]:
        return self._network.tensor(name)
