"""Where the maxima of the pools came from: the forward pass, as far as the reverse needs it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import prod

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor
from torch.nn import functional

from pipeline.network.functions import Maps as Signal
from pipeline.network.functions import max_pool
from pipeline.network.geometry import Windows, windows
from pipeline.network.graph import Graph
from pipeline.network.kernels import Step, convolution, fast_norm
from pipeline.network.module import Network
from pipeline.network.ops import Conv, Curve, LocalResponseNorm, MaxPool, Pair, Window
from pipeline.project.adjoints import CACHE_BYTES
from pipeline.project.deconvnet import Switches, inside_map, pools_below

Steps = Mapping[int, Step]
Border = Callable[[int, Signal, float], Signal]
SwitchMaps = Mapping[int, UInt8[Tensor, "_ _ _"]]
"""By the node of each pool, for one image (row, col, channel): where in its window each maximum
stood, counted row by row; a byte per cell."""


def whole_macs(graph: Graph, layer: str) -> int:
    """Multiply-adds of the forward pass over a whole image that finds a layer's switches."""
    return sum(_macs(graph, at, graph.nodes[at].shape[1:]) for at in _convs_below(graph, layer))


def window_macs(graph: Graph, layer: str) -> int:
    """Multiply-adds of the forward pass over one unit's window that finds its switches."""
    sizes = _window_sizes(graph, layer)
    return sum(_macs(graph, at, sizes[at]) for at in _convs_below(graph, layer))


def _largest_bytes(graph: Graph, layer: str) -> int:
    """Of the maps of one unit's window, in single precision, the largest."""
    sizes = _window_sizes(graph, layer)
    cells = (prod(sizes[at]) * graph.nodes[at].shape[0] for at in _convs_below(graph, layer))
    return 4 * max(cells, default=1)


def _window_sizes(graph: Graph, layer: str) -> dict[int, Pair]:
    found = windows(graph, layer).items()
    return {at: (rows.size, cols.size) for at, (rows, cols) in found}


def _convs_below(graph: Graph, layer: str) -> Iterable[int]:
    top = max(pools_below(graph, layer), default=0)
    return (at for at in range(top) if isinstance(graph.nodes[at].op, Conv))


def _macs(graph: Graph, at: int, cells: Pair) -> int:
    op = graph.nodes[at].op
    assert isinstance(op, Conv)
    return prod(cells) * prod(graph.tensors[op.weight])


class SwitchFinder:
    """The forward pass, in the inputs' own precision, that records the switches.

    `finite` says that no activation can overflow or be NaN (`network.overflow.is_overflow_safe`).
    """

    def __init__(self, network: Network, *, finite: bool) -> None:
        self._graph = network.graph
        self._steps = _steps(network, padded=True, finite=finite)
        self._window_steps = _steps(network, padded=False, finite=finite)

    def maps(self, image: Float[Tensor, "1 3 row col"], layer: str) -> SwitchMaps:
        """The switches of one whole image, as far up as a layer's signal passes.

        One image at a time, so that its switches depend on no other image.
        """

        def whole(at: int, signal: Signal, value: float) -> Signal:
            return signal

        found = self._found(image, layer, self._steps, whole)
        return {at: offsets[0] for at, offsets in found.items()}

    def windows(
        self, patches: Float[Tensor, "entry 3 row col"], cell: Int64[Tensor, "entry 2"], layer: str
    ) -> Switches:
        """The switches of units of one layer, each from the patch of the input that is its box.

        Patches are 0 outside the image. They run in slices whose maps stay in a cache.
        """
        found = windows(self._graph, layer)
        fit = max(1, CACHE_BYTES // _largest_bytes(self._graph, layer))

        def sliced(some: slice) -> Switches:
            def clipped(at: int, signal: Signal, value: float) -> Signal:
                return _outside(found[at - 1], cell[some], signal, value)

            return self._found(patches[some], layer, self._window_steps, clipped)

        parts = [sliced(slice(first, first + fit)) for first in range(0, len(patches), fit)]
        return {at: torch.cat([part[at] for part in parts]) for at in parts[0]}

    def _found(self, patches: Signal, layer: str, steps: Steps, border: Border) -> Switches:
        """Run forward; `border` sets what lies outside the map that feeds an operation."""
        found = {}
        pools = pools_below(self._graph, layer)
        signal = patches.contiguous(memory_format=torch.channels_last)
        for at in range(1, max(pools, default=0) + 1):
            node = self._graph.nodes[at]
            if isinstance(node.op, MaxPool):
                whole = border(at, signal, -torch.inf)
                cells = node.shape[1:] if steps is self._steps else _cells(node.op.window, whole)
                signal, index = max_pool(node.op.window, whole, cells)
                found[at] = _offsets(node.op.window, index.permute(0, 2, 3, 1), whole.shape[3])
            elif isinstance(node.op, Conv):
                signal = steps[at](border(at, signal, 0.0))
            elif at in steps:
                signal = steps[at](signal)
        return found


def _cells(window: Window, signal: Signal) -> Pair:
    """Cells that the windows on a patch make, which they fill."""
    rows, cols = (
        (size - extent) // stride + 1
        for size, extent, stride in zip(signal.shape[2:], window.extent, window.stride, strict=True)
    )
    return rows, cols


def _steps(network: Network, *, padded: bool, finite: bool) -> Steps:
    """The nodes that change values; convolutions pad by themselves or not."""
    steps: dict[int, Step] = {}
    like = next(network.parameters()).detach()
    for at, node in enumerate(network.graph.nodes):
        op = node.op
        if isinstance(op, Conv):
            weight = network.tensor(op.weight).detach()
            bias = None if op.bias is None else network.tensor(op.bias)
            laid_out = weight.contiguous(memory_format=torch.channels_last)
            cells = node.shape[1:] if padded else None
            steps[at] = convolution(op, cells, laid_out, bias, rectify=False, fuse=True)
        elif isinstance(op, Curve):
            steps[at] = functional.relu_
        elif isinstance(op, LocalResponseNorm):
            steps[at] = fast_norm(op, node.shape[0], like) if finite else _plain(network, at)
    return steps


def _plain(network: Network, at: int) -> Step:
    return lambda signal: network.apply_node(at, [signal])


def _outside(
    window: Windows,
    cell: Int64[Tensor, "entry 2"],
    signal: Float[Tensor, "entry channel row col"],
    value: float,
) -> Float[Tensor, "entry channel row col"]:
    """Set the cells of the windows that lie outside the map."""
    inside = inside_map(window, cell)
    return signal if inside is None else signal.masked_fill_(~inside.to(signal.device), value)


def _offsets(
    window: Window, index: Int64[Tensor, "entry row col channel"], side: int
) -> UInt8[Tensor, "entry row col channel"]:
    """Positions on a map of `side` columns as positions in each cell's own window."""
    rows, cols = (
        torch.arange(count, device=index.device) * stride
        for count, stride in zip(index.shape[1:3], window.stride, strict=True)
    )
    inner = (index - (rows[:, None] * side + cols)[:, :, None]).int()
    # Compared, not divided: rows are few and integer division is slow.
    row = sum((inner >= side * row).int() for row in range(1, window.kernel[0]))
    return (inner - row * (side - window.kernel[1])).to(torch.uint8)


def cut_windows(
    graph: Graph,
    layer: str,
    maps: Sequence[SwitchMaps],
    cell: Int64[Tensor, "entry 2"],
) -> Switches:
    """The switches in each unit's windows, out of the maps of the image that each belongs to."""
    found = windows(graph, layer)
    cut = {}
    for at in pools_below(graph, layer):
        rows, cols = found[at]
        first = zip(rows.first(cell[:, 0]).tolist(), cols.first(cell[:, 1]).tolist(), strict=True)
        parts = zip(maps, first, strict=True)
        size = rows.size, cols.size
        cut[at] = torch.stack([_slice(m[at], row, col, size) for m, (row, col) in parts])
    return cut


def _slice(
    values: UInt8[Tensor, "map_row map_col channel"], row: int, col: int, size: Pair
) -> UInt8[Tensor, "row col channel"]:
    """A rectangle out of a map; 0 where it reaches outside."""
    found = values.new_zeros(*size, values.shape[2])
    top, left = max(0, row), max(0, col)
    part = values[top : row + size[0], left : col + size[1]]
    found[top - row : top - row + part.shape[0], left - col : left - col + part.shape[1]] = part
    return found
