"""The record of a forward pass for the way down: switches, slopes, gates, deviations."""

from collections.abc import Collection, Mapping, Sequence

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional

from pipeline.network.functions import Maps, apply_op, max_pool, mean_shares
from pipeline.network.geometry import AxisWindow, Windows, reach_of
from pipeline.network.graph import Graph
from pipeline.network.kernels import Step, convolution, fast_norm
from pipeline.network.module import Network, walk
from pipeline.network.ops import (
    Conv,
    Curve,
    LocalResponseNorm,
    MaxPool,
    MeanPool,
    Pad,
)
from pipeline.network.window import Window
from pipeline.project.adjoints import CACHE_BYTES
from pipeline.project.backward import Switches
from pipeline.project.forward_work import convs_below
from pipeline.project.placement import Cells, on_windows, placed
from pipeline.project.records import offsets, record_of
from pipeline.project.switch_maps import SwitchMaps


class SwitchFinder:
    """The forward pass, in the inputs' own precision, that records the switches.

    Of a network without batch norms. `finite` says that no activation can overflow or be NaN
    (`network.overflow.is_overflow_safe`).
    """

    def __init__(self, network: Network, *, finite: bool) -> None:
        self._network, self._graph = network, network.graph
        self._steps = _steps(network, padded=True, finite=finite)
        self._window_steps = _steps(network, padded=False, finite=finite)

    def maps(self, image: Float[Tensor, "1 _ _ _"], nodes: Collection[int]) -> SwitchMaps:
        """The switches of some nodes for one whole image.

        One image at a time, so that its switches depend on no other image.
        """
        found: dict[int, Tensor] = {}

        def step(at: int, inputs: Sequence[Maps]) -> Maps:
            node = self._graph.nodes[at]
            if isinstance(node.op, MaxPool):
                pooled, index = max_pool(node.op.window, inputs[0], node.shape[1:])
                side = inputs[0].shape[3]
                found[at] = offsets(node.op.window, index.permute(0, 2, 3, 1), side)[0]
                return pooled
            if at in nodes:
                found[at] = record_of(node.op, inputs)[0]
            return self._applied(at, inputs, self._steps)

        for _ in walk(self._graph, list(nodes), step, _laid_out(image)):
            pass
        return {at: found[at] for at in nodes}

    def windows(
        self,
        patches: Float[Tensor, "entry _ _ _"],
        cell: Int64[Tensor, "entry 2"],
        below: Mapping[int, Windows],
        nodes: Collection[int],
    ) -> Switches:
        """The switches of units whose windows are `below`, each from the patch that is its box.

        Patches are 0 outside the image. They run in slices whose maps stay in a cache.
        """
        fit = max(1, CACHE_BYTES // _largest_bytes(self._graph, below, nodes))
        slices = [slice(first, first + fit) for first in range(0, len(patches), fit)]
        parts = [
            self._on_windows(patches[some], Cells(cell[some]), below, nodes) for some in slices
        ]
        return {at: torch.cat([part[at] for part in parts]) for at in nodes}

    def _on_windows(
        self,
        patches: Maps,
        cell: Cells,
        below: Mapping[int, Windows],
        nodes: Collection[int],
    ) -> Switches:
        found: dict[int, Tensor] = {}

        def step(at: int, inputs: Sequence[Maps]) -> Maps:
            node, op = self._graph.nodes[at], self._graph.nodes[at].op
            if isinstance(op, MaxPool):
                # Outside the map nothing may win, as in a pass of the whole image: 0 would win
                # over negative values.
                whole = self._read(at, op.window, inputs[0], cell, below, -torch.inf)
                cells = below[at][0].size, below[at][1].size
                pooled, index = max_pool(_unpadded(op.window), whole, cells)
                found[at] = offsets(_unpadded(op.window), index.permute(0, 2, 3, 1), whole.shape[3])
                # Outside the map it is -inf, of which a norm or a curve would make NaN.
                return _cleared(pooled, below[at], cell, 0.0)
            if isinstance(op, Conv):
                # The patch extends beyond the map. What biases made there is not the zeros
                # that the whole image's convolution reads, so it is cleared at every layer.
                return self._window_steps[at](
                    self._read(at, op.window, inputs[0], cell, below, 0.0)
                )
            if isinstance(op, MeanPool):
                return self._mean(at, op, inputs[0], cell, below)
            if isinstance(op, Pad):
                filled = _cleared(inputs[0], below[node.inputs[0]], cell, op.value)
                have = [
                    AxisWindow(axis.start + before, axis.jump, axis.size, axis.cells)
                    for axis, before in zip(below[node.inputs[0]], op.before, strict=True)
                ]
                return _placed(filled, have, below[at], cell)
            # Branches reach differently far: where they join, each is laid into their hull.
            moved = [
                _placed(signal, below[feeding], below[at], cell)
                for feeding, signal in zip(node.inputs, inputs, strict=True)
            ]
            if at in nodes:
                found[at] = record_of(op, moved)
            return self._applied(at, moved, self._window_steps)

        for _ in walk(self._graph, list(nodes), step, _laid_out(patches)):
            pass
        return found

    def _read(
        self,
        at: int,
        window: Window,
        signal: Maps,
        cell: Cells,
        below: Mapping[int, Windows],
        outside: float,
    ) -> Maps:
        """The cells that a node's moving windows read; those outside the map have one value."""
        feeding = self._graph.nodes[at].inputs[0]
        signal = _cleared(signal, below[feeding], cell, outside)
        rows, cols = (
            reach_of(window, axis, above, below[feeding][axis].cells)
            for axis, above in enumerate(below[at])
        )
        return _placed(signal, below[feeding], (rows, cols), cell)

    def _mean(
        self, at: int, op: MeanPool, signal: Maps, cell: Cells, below: Mapping[int, Windows]
    ) -> Maps:
        whole = self._read(at, op.window, signal, cell, below, 0.0)
        channels, window = signal.shape[1], op.window
        ones = signal.new_ones(channels, 1, *window.kernel)
        sums = functional.conv2d(whole, ones, None, window.stride, 0, window.dilation, channels)
        node = self._graph.nodes[at]
        size = self._graph.nodes[node.inputs[0]].shape[1:]
        shares = mean_shares(op, size, node.shape[1:], signal)
        # A cell outside the map has no share; it takes that of the edge, since what it holds is
        # cleared before it is read.
        rows, cols = on_windows(shares, below[at], cell)
        return sums * rows[:, None, :, None] * cols[:, None, None, :]

    def _applied(self, at: int, inputs: Sequence[Maps], steps: Mapping[int, Step]) -> Maps:
        """A node's output; the input is overwritten where nothing else reads it."""
        if at in steps:
            node = self._graph.nodes[at]
            alone = isinstance(node.op, Conv) or len(self._graph.users[node.inputs[0]]) == 1
            return steps[at](inputs[0] if alone else inputs[0].clone())
        node = self._graph.nodes[at]
        names = node.op.tensors(node.shape, self._graph.below(at))
        tensors = {name: self._network.tensor(name) for name in names}
        return apply_op(node.op, inputs, node.shape[1:], tensors)


def _unpadded(window: Window) -> Window:
    """The same window on a patch that holds its padding."""
    return Window(window.kernel, window.stride, (0, 0), window.dilation)


def _laid_out(signal: Maps) -> Maps:
    return signal.contiguous(memory_format=torch.channels_last)


def _steps(network: Network, *, padded: bool, finite: bool) -> dict[int, Step]:
    """Nodes with a fast way of their own; convolutions pad by themselves or not."""
    steps: dict[int, Step] = {}
    like = next(iter(network.state_dict().values()))
    for at, node in enumerate(network.graph.nodes):
        op = node.op
        if isinstance(op, Conv):
            weight = network.tensor(op.weight).detach()
            bias = None if op.bias is None else network.tensor(op.bias)
            laid_out = weight.contiguous(memory_format=torch.channels_last)
            cells = node.shape[1:] if padded else None
            steps[at] = convolution(op, cells, laid_out, bias, rectify=False, fuse=True)
        elif isinstance(op, Curve) and op.kind == "relu":
            steps[at] = functional.relu_
        elif isinstance(op, LocalResponseNorm) and finite:
            steps[at] = fast_norm(op, node.shape[0], like)
    return steps


def _cleared(signal: Maps, window: Windows, cell: Cells, value: float) -> Maps:
    """Set the cells of the windows that lie outside the map."""
    outside = cell.outside(window)
    if outside is not None:
        entries, rows, cols = (index.to(signal.device) for index in outside)
        signal.permute(0, 2, 3, 1)[entries, rows, cols] = value
    return signal


def _placed(signal: Maps, have: Sequence[AxisWindow], want: Windows, cell: Cells) -> Maps:
    return placed(signal.permute(0, 2, 3, 1), have, want, cell).permute(0, 3, 1, 2)


def _largest_bytes(graph: Graph, below: Mapping[int, Windows], nodes: Collection[int]) -> int:
    """Of the maps of one unit's window, in single precision, the largest."""
    convs = [at for at in convs_below(graph, nodes) if at in below]
    cells = (below[at][0].size * below[at][1].size * graph.nodes[at].shape[0] for at in convs)
    return 4 * max(cells, default=1)
