"""Where the maxima of the pools came from: the forward pass, as far as the reverse needs it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor
from torch.nn import functional

from pipeline.network.chain import Chain, ContrastNorm, Conv, MaxPool, ReLU
from pipeline.network.fused import Signal, Step, contrast_norm, convolution
from pipeline.network.module import Network
from pipeline.project.deconvnet import Switches
from pipeline.project.descent import CACHE_BYTES
from pipeline.project.window import Span, pools_below, spans

Steps = Mapping[int, Step]
Border = Callable[[int, Signal, float], Signal]
SwitchMaps = Mapping[int, UInt8[Tensor, "_ _ _"]]
"""By the position of each pool, for one image (row, col, channel): where in its window each maximum
stood, counted row by row; a byte per cell."""


def whole_macs(chain: Chain, layer: str) -> int:
    """Multiply-adds of the forward pass over a whole image that finds a layer's switches."""
    return sum(_macs(op, chain.sizes[at]) for at, op in _convs_below(chain, layer))


def window_macs(chain: Chain, layer: str) -> int:
    """Multiply-adds of the forward pass over one unit's window that finds its switches."""
    windows = spans(chain, layer)
    return sum(_macs(op, windows[at + 1].size) for at, op in _convs_below(chain, layer))


def _largest_bytes(chain: Chain, layer: str) -> int:
    """Of the maps of one unit's window, in single precision, the largest."""
    windows = spans(chain, layer)
    sizes = (windows[at + 1].size ** 2 * op.out_channels for at, op in _convs_below(chain, layer))
    return 4 * max(sizes, default=1)


def _convs_below(chain: Chain, layer: str) -> Iterable[tuple[int, Conv]]:
    top = max(pools_below(chain, layer), default=0)
    return ((at, op) for at, op in enumerate(chain.ops[:top]) if isinstance(op, Conv))


def _macs(op: Conv, side: int) -> int:
    return side**2 * op.out_channels * op.kernel**2 * op.in_channels // op.groups


class SwitchFinder:
    """The forward pass, in the inputs' own precision, that records the switches.

    `finite` says that no activation can overflow or be NaN (`network.bound.stays_finite`).
    """

    def __init__(self, network: Network, *, finite: bool) -> None:
        self._chain = network.chain
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
        windows = spans(self._chain, layer)
        fit = max(1, CACHE_BYTES // _largest_bytes(self._chain, layer))

        def sliced(some: slice) -> Switches:
            def clipped(at: int, signal: Signal, value: float) -> Signal:
                return _outside(windows[at], cell[some], signal, value)

            return self._found(patches[some], layer, self._window_steps, clipped)

        parts = [sliced(slice(first, first + fit)) for first in range(0, len(patches), fit)]
        return {at: torch.cat([part[at] for part in parts]) for at in parts[0]}

    def _found(self, patches: Signal, layer: str, steps: Steps, border: Border) -> Switches:
        """Run forward; `border` sets what lies outside the map that feeds an operation."""
        found = {}
        pools = pools_below(self._chain, layer)
        signal = patches.contiguous(memory_format=torch.channels_last)
        for at, op in enumerate(self._chain.ops[: max(pools, default=-1) + 1]):
            if isinstance(op, MaxPool):
                side = signal.shape[3]
                signal, index = _max_pool(op, border(at, signal, -torch.inf))
                found[at] = _offsets(op, index.permute(0, 2, 3, 1), side)
            elif isinstance(op, Conv):
                signal = steps[at](border(at, signal, 0.0))
            elif at in steps:
                signal = steps[at](signal)
        return found


def _steps(network: Network, *, padded: bool, finite: bool) -> Steps:
    """The operations that change values, by position; convolutions pad by themselves or not."""
    steps: dict[int, Step] = {}
    channels, like = 0, next(network.parameters()).detach()
    for at, op in enumerate(network.chain.ops):
        if isinstance(op, Conv):
            channels, shape = op.out_channels, op if padded else replace(op, padding=0)
            weight, bias = network.get_submodule(op.name).parameters()
            laid_out = weight.detach().contiguous(memory_format=torch.channels_last)
            steps[at] = convolution(shape, laid_out, bias, rectify=False, fuse=True)
        elif isinstance(op, ReLU):
            steps[at] = functional.relu_
        elif isinstance(op, ContrastNorm):
            norm = contrast_norm(op, channels, like)
            steps[at] = norm if finite else partial(network.apply_op, op)
    return steps


def _outside(
    window: Span,
    cell: Int64[Tensor, "entry 2"],
    signal: Float[Tensor, "entry channel row col"],
    value: float,
) -> Float[Tensor, "entry channel row col"]:
    """Set the cells of the windows that lie outside the map."""
    inside = window.inside(cell)
    return signal if inside is None else signal.masked_fill_(~inside.to(signal.device), value)


def _max_pool(
    op: MaxPool, signal: Float[Tensor, "entry channel row col"]
) -> tuple[
    Float[Tensor, "entry channel row_above col_above"],
    Int64[Tensor, "entry channel row_above col_above"],
]:
    """Pool, with the position of each maximum on the map below; of equal values the first."""
    return functional.max_pool2d_with_indices(
        signal, [op.kernel] * 2, [op.stride] * 2, ceil_mode=True
    )


def _offsets(
    op: MaxPool, index: Int64[Tensor, "entry row col channel"], side: int
) -> UInt8[Tensor, "entry row col channel"]:
    """Positions on a map of `side` columns as positions in each cell's own window."""
    cells = torch.arange(index.shape[1], device=index.device) * op.stride
    inner = (index - (cells[:, None] * side + cells)[:, :, None]).int()
    # Compared, not divided: rows are few and integer division is slow.
    row = sum((inner >= side * row).int() for row in range(1, op.kernel))
    return (inner - row * (side - op.kernel)).to(torch.uint8)


def cut_windows(
    chain: Chain,
    layer: str,
    maps: Sequence[SwitchMaps],
    cell: Int64[Tensor, "entry 2"],
) -> Switches:
    """The switches in each unit's windows, out of the maps of the image that each belongs to."""
    windows = spans(chain, layer)
    cut = {}
    for at in pools_below(chain, layer):
        pooled = windows[at + 1]
        first = pooled.first(cell).tolist()
        parts = zip(maps, first, strict=True)
        cut[at] = torch.stack([_slice(m[at], row, col, pooled.size) for m, (row, col) in parts])
    return cut


def _slice(
    values: UInt8[Tensor, "map_row map_col channel"], row: int, col: int, side: int
) -> UInt8[Tensor, "side side channel"]:
    """A square out of a map; 0 where it reaches outside."""
    found = values.new_zeros(side, side, values.shape[2])
    top, left = max(0, row), max(0, col)
    part = values[top : row + side, left : col + side]
    found[top - row : top - row + part.shape[0], left - col : left - col + part.shape[1]] = part
    return found
