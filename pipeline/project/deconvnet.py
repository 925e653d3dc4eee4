"""The way down on windows: from single units back to the pixels of their boxes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int64, Shaped
from torch import Tensor

from pipeline.network.functions import mean_shares, resampling
from pipeline.network.geometry import AxisWindow, reach_of, seed_of, whole_map, windows
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
from pipeline.network.window import Pair, Window
from pipeline.params import Method
from pipeline.project.adjoints import (
    CACHE_BYTES,
    FlippedConv,
    Signal,
    single_units,
    transpose,
)
from pipeline.project.placement import Cells, inside_map, placed
from pipeline.project.starts import starts_of
from pipeline.project.unpooling import spread, unpool

Switches = Mapping[int, Shaped[Tensor, "_ _ _ _"]]
"""By node (entry, row, col, channel), what the way down needs of the forward pass there. Of a max
pool: for every cell of the windows on the pooled map, where in its own pooling window the maximum
was, counted row by row; of equal values the first counts; a byte per cell. Of an activation
function its slope, of a product its gate, of a norm the reciprocal of its deviation."""


@dataclass(frozen=True)
class Units:
    """The units to project, one per entry, all of one layer."""

    channel: Int64[Tensor, " entry"]
    cell: Int64[Tensor, "entry 2"]
    """(row, col) on the layer's map, on the CPU; 0, 0 in a fully connected layer."""
    activation: Float[Tensor, " entry"]
    """The value that the signal starts from."""


class Deconvnet:
    """The way down from one layer of a network without batch norms (`network.fold`).

    Unpooling adds up at shared switches; the signal goes down all ways of a sum and to its own part
    of a concatenation; local response norm and dropout are passed by; a gate and a norm's deviation
    are constants; biases play no part, and the pixels stay signed. At an activation function
    `deconvnet` (Zeiler & Fergus 2013) rectifies the signal, `gradient` multiplies it by the slope,
    and `guided` does both. The layer's own function is left out.

    Only the window that a unit can reach is computed; cells outside a map carry nothing.
    """

    def __init__(self, network: Network, layer: str, method: Method) -> None:
        self._network, self._graph, self._method = network, network.graph, method
        self._seed = seed_of(network.graph, layer)
        self._windows = windows(network.graph, self._seed)
        self._order = sorted(self._windows, reverse=True)
        self._starts = starts_of(network, self._seed)
        self._convs = {
            at: transpose(op, network.tensor(op.weight), *self._sizes(at))
            for at in self._order
            if isinstance(op := network.graph.nodes[at].op, Conv)
        }

    @torch.no_grad()  # signals are added up in place
    def __call__(self, units: Units, switches: Switches) -> Float[Tensor, "entry row col colour"]:
        """Project units to the pixels of their boxes; pixels outside the image are 0."""
        starts = self._starts
        if starts is None:
            return self._from(self._seed, units.channel, units.activation, units.cell, switches)
        which = units.channel.cpu().numpy()
        channel = torch.from_numpy(starts.channel[which]).to(units.channel.device)
        activation = units.activation * units.activation.new_tensor(starts.factor[which])
        nodes, cell = starts.node[which], units.cell
        groups = [np.flatnonzero(nodes == node) for node in dict.fromkeys(nodes.tolist())]
        if len(groups) == 1:
            return self._from(int(nodes[0]), channel, activation, cell, switches)
        parts = [
            self._from(
                int(nodes[some[0]]),
                channel[some],
                activation[some],
                cell[some],
                _some(switches, some),
            )
            for some in groups
        ]
        return torch.cat(parts)[np.argsort(np.concatenate(groups))]

    def _from(
        self,
        node: int,
        channel: Int64[Tensor, " entry"],
        activation: Float[Tensor, " entry"],
        cell: Cells,
        switches: Switches,
    ) -> Float[Tensor, "entry row col colour"]:
        """Project units whose signals start from one node."""
        return self._descend(self._started(node, channel, activation, cell), cell, switches)

    def _started(
        self,
        at: int,
        channel: Int64[Tensor, " entry"],
        activation: Float[Tensor, " entry"],
        cell: Cells,
    ) -> dict[int, Signal]:
        """The signal of single units of a node: below it where that is cheap, else on it."""
        op = self._graph.nodes[at].op
        conv = self._convs.get(at)
        alone = all(axis.size == 1 for axis in self._windows[at])
        if isinstance(op, Conv) and conv and alone and not isinstance(conv, FlippedConv):
            signal = conv.from_units(channel, activation)
            return {self._graph.nodes[at].inputs[0]: self._read(at, op.window, signal, cell)}
        if isinstance(op, Linear) and not op.per_cell:
            rows = self._tensor(op.weight)[channel] * activation[:, None]
            return {self._graph.nodes[at].inputs[0]: self._unflattened(at, rows)}
        unit = [AxisWindow(0, 1, 1, axis.cells) for axis in self._windows[at]]
        signal = single_units(channel, activation, self._graph.nodes[at].shape[0])
        return {at: placed(signal, unit, self._windows[at], cell)}

    def _descend(
        self, signals: dict[int, Signal], cell: Cells, switches: Switches
    ) -> Float[Tensor, "entry row col colour"]:
        """From the signals on some nodes' outputs to the pixels.

        Entries part into slices where all their maps together would leave the cache.
        """
        for at in self._order:
            if at == 0 or at not in signals:
                continue
            node, signal = self._graph.nodes[at], signals.pop(at)
            if isinstance(node.op, MaxPool | Add | Cat) and not signals:
                fit = self._fitting(at, signal)
                if len(signal) > fit:
                    slices = [slice(first, first + fit) for first in range(0, len(signal), fit)]
                    parts = (
                        self._descend({at: signal[some]}, cell[some], _some(switches, some))
                        for some in slices
                    )
                    return torch.cat(list(parts))
            for place, (below, part) in enumerate(self._step(at, node.op, signal, cell, switches)):
                if below in signals:
                    signals[below].add_(part)
                else:
                    shared = isinstance(node.op, Cat) or (place and isinstance(node.op, Add))
                    signals[below] = part.clone() if shared else part
        return signals[0]

    def _step(
        self, at: int, op: Op, signal: Signal, cell: Cells, switches: Switches
    ) -> Sequence[tuple[int, Signal]]:
        """The signals on the inputs of a node, of the signal on its output."""
        below = self._graph.nodes[at].inputs
        match op:
            case Conv():
                conv = self._convs[at]
                made = conv(signal)
                if not (isinstance(conv, FlippedConv) and conv.on_map):
                    made = self._read(at, op.window, made, cell)
                return [(below[0], made)]
            case MaxPool():
                return [
                    (
                        below[0],
                        self._read(at, op.window, unpool(op.window, signal, switches[at]), cell),
                    )
                ]
            case MeanPool():
                return [
                    (below[0], self._read(at, op.window, self._spread(at, op, signal, cell), cell))
                ]
            case Pad():
                return [(below[0], self._unpadded(at, op, signal, cell))]
            case Resample():
                return [(below[0], self._resampled(at, op, signal, cell))]
            case MapNorm():
                return [(below[0], self._normed_map(at, op, signal, cell, switches[at]))]
            case Linear() if not op.per_cell:
                features = signal.flatten(1) @ self._network.tensor(op.weight)
                return [(below[0], self._unflattened(at, features))]
            case Add():
                parts = [signal for _ in below]
            case Cat():
                widths = [self._graph.nodes[feeding].shape[0] for feeding in below]
                parts = list(torch.split(signal, widths, dim=3))
            case _:
                parts = [self._through(at, op, signal, switches)]
        return [
            (to, self._moved(at, to, part, cell)) for to, part in zip(below, parts, strict=False)
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

    def _read(self, at: int, window: Window, signal: Signal, cell: Cells) -> Signal:
        """What moving windows of a node read, on the window of the map that feeds it."""
        feeding = self._graph.nodes[at].inputs[0]
        below = self._windows[feeding]
        have = [
            reach_of(window, axis, above, below[axis].cells)
            for axis, above in enumerate(self._windows[at])
        ]
        return self._on_map(feeding, placed(signal, have, below, cell), cell)

    def _moved(self, at: int, below: int, signal: Signal, cell: Cells) -> Signal:
        return placed(signal, self._windows[at], self._windows[below], cell)

    def _on_map(self, at: int, signal: Signal, cell: Cells) -> Signal:
        """Drop what fell on padding: cells outside the map that a node makes."""
        inside = inside_map(self._windows[at], cell)
        return signal if inside is None else signal.mul_(inside.to(signal))

    def _unpadded(self, at: int, op: Pad, signal: Signal, cell: Cells) -> Signal:
        feeding = self._graph.nodes[at].inputs[0]
        have = [
            replace(axis, start=axis.start - before)
            for axis, before in zip(self._windows[at], op.before, strict=True)
        ]
        return self._on_map(feeding, placed(signal, have, self._windows[feeding], cell), cell)

    def _spread(self, at: int, op: MeanPool, signal: Signal, cell: Cells) -> Signal:
        """A mean's signal, in equal parts on the cells of its windows."""
        size, cells = self._below(at).shape[1:], self._graph.nodes[at].shape[1:]
        shares = mean_shares(op, size, cells, signal)
        rows, cols = (
            share[axis.cells_of(cell[:, way]).clamp(0, axis.cells - 1).to(signal.device)]
            for way, (axis, share) in enumerate(zip(self._windows[at], shares, strict=True))
        )
        return spread(op.window, signal * rows[:, :, None, None] * cols[:, None, :, None])

    def _resampled(self, at: int, op: Resample, signal: Signal, cell: Cells) -> Signal:
        whole = self._whole(at, signal, cell)
        like = signal.new_empty(self._below(at).shape[1:])
        rows, cols = resampling(op, like, self._graph.nodes[at].shape[1:])
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

    def _sizes(self, at: int) -> tuple[Pair, Pair]:
        """The window on a convolution's map, and the map below where both windows are whole."""
        rows, cols = self._windows[at]
        below = self._windows[self._graph.nodes[at].inputs[0]]
        whole = all(axis.whole for axis in (rows, cols, *below))
        return (rows.size, cols.size), (below[0].size, below[1].size) if whole else (0, 0)

    def _below(self, at: int) -> Node:
        return self._graph.nodes[self._graph.nodes[at].inputs[0]]

    def _tensor(self, name: str) -> Float[Tensor, "..."]:
        return self._network.tensor(name)

    def _fitting(self, at: int, signal: Signal) -> int:
        """Entries whose maps below an operation fit in a cache."""
        rows, cols = self._windows[self._graph.nodes[at].inputs[0]]
        return max(1, CACHE_BYTES // (rows.size * cols.size * signal[0, 0, 0].nbytes))


def _some(switches: Switches, entries: slice | Int64[np.ndarray, " some"]) -> Switches:
    return {at: values[entries] for at, values in switches.items()}
