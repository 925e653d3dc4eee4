"""Where the maxima of the pools came from: the forward pass, as far as the reverse needs it."""

from collections.abc import Iterable, Mapping, Sequence

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor
from torch.nn import functional

from pipeline.network.chain import Chain, ContrastNorm, Conv, MaxPool, ReLU
from pipeline.network.module import Network, complete_windows
from pipeline.project.deconvnet import Switches
from pipeline.project.window import Span, pools_below, spans

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


def _convs_below(chain: Chain, layer: str) -> Iterable[tuple[int, Conv]]:
    top = max(pools_below(chain, layer), default=0)
    return ((at, op) for at, op in enumerate(chain.ops[:top]) if isinstance(op, Conv))


def _macs(op: Conv, side: int) -> int:
    return side**2 * op.out_channels * op.kernel**2 * op.in_channels // op.groups


class SwitchFinder:
    """The forward pass, op by op in the inputs' own precision, that records the switches."""

    def __init__(self, network: Network) -> None:
        self._chain = network.chain
        self._weights = {
            at: module.weight.contiguous(memory_format=torch.channels_last)
            for at, module in _conv_modules(network)
        }
        self._biases = {at: module.bias for at, module in _conv_modules(network)}

    def maps(self, image: Float[Tensor, "1 3 row col"], layer: str) -> SwitchMaps:
        """The switches of one whole image, as far up as a layer's signal passes.

        One image at a time, so that its switches depend on no other image.
        """
        found = {}
        pools = pools_below(self._chain, layer)
        signal = image.contiguous(memory_format=torch.channels_last)
        for at, op in enumerate(self._chain.ops[: max(pools, default=-1) + 1]):
            if isinstance(op, MaxPool):
                side = signal.shape[3]
                signal, index = _max_pool(op, signal)
                found[at] = _offsets(op, index[0].permute(1, 2, 0), side)
            elif isinstance(op, Conv):
                signal = self._conv(at, op, complete_windows(op, signal), op.padding)
            else:
                signal = _elementwise(op, signal)
        return found

    def windows(
        self, patches: Float[Tensor, "entry 3 row col"], cell: Int64[Tensor, "entry 2"], layer: str
    ) -> Switches:
        """The switches of units of one layer, each from the patch of the input that is its box.

        Patches are 0 outside the image.
        """
        found = {}
        windows = spans(self._chain, layer)
        pools = pools_below(self._chain, layer)
        signal = patches.contiguous(memory_format=torch.channels_last)
        for at, op in enumerate(self._chain.ops[: max(pools, default=-1) + 1]):
            if isinstance(op, MaxPool):
                signal, index = _max_pool(op, _outside(windows[at], cell, signal, -torch.inf))
                found[at] = index.permute(0, 2, 3, 1)
            elif isinstance(op, Conv):
                signal = self._conv(at, op, _outside(windows[at], cell, signal, 0.0), 0)
            else:
                signal = _elementwise(op, signal)
        return found

    def _conv(
        self, at: int, op: Conv, signal: Float[Tensor, "entry channel row col"], padding: int
    ) -> Float[Tensor, "entry channel_above row_above col_above"]:
        return functional.conv2d(
            signal, self._weights[at], self._biases[at], op.stride, padding, groups=op.groups
        )


def _conv_modules(network: Network) -> Iterable[tuple[int, torch.nn.Conv2d]]:
    for at, op in network.chain.weighted():
        module = network.get_submodule(op.name)
        if isinstance(module, torch.nn.Conv2d):
            yield at, module


def _elementwise(
    op: object, signal: Float[Tensor, "entry channel row col"]
) -> Float[Tensor, "entry channel row col"]:
    if isinstance(op, ReLU):
        return functional.relu_(signal)
    if isinstance(op, ContrastNorm):
        return signal * _norm_factor(op, signal)
    return signal


def _norm_factor(
    op: ContrastNorm, signal: Float[Tensor, "entry channel row col"]
) -> Float[Tensor, "entry channel row col"]:
    """(k + alpha · the sum of squares over the neighbouring channels) ** −beta.

    The sum is a product with a band of ones, which the machine does at the rate of a convolution.
    """
    at = torch.arange(signal.shape[1], device=signal.device)
    ahead = at[None, :] - at[:, None] + op.channels // 2
    band = ((ahead >= 0) & (ahead < op.channels)).to(signal.dtype)
    squares = torch.matmul(signal.square().permute(0, 2, 3, 1), band.T * op.alpha)
    return squares.add_(op.k).pow_(-op.beta).permute(0, 3, 1, 2)


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
    op: MaxPool, index: Int64[Tensor, "row col channel"], side: int
) -> UInt8[Tensor, "row col channel"]:
    """Positions on a map of `side` columns as positions in each cell's own window."""
    cells = torch.arange(index.shape[0], device=index.device) * op.stride
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
    return {
        at: _cut(chain, at, windows, [m[at] for m in maps], cell)
        for at in pools_below(chain, layer)
    }


def _cut(
    chain: Chain,
    at: int,
    windows: Sequence[Span],
    maps: Sequence[UInt8[Tensor, "map_row map_col channel"]],
    cell: Int64[Tensor, "entry 2"],
) -> Int64[Tensor, "entry row col channel"]:
    op, pooled, below = chain.ops[at], windows[at + 1], windows[at]
    assert isinstance(op, MaxPool)
    first = pooled.first(cell).tolist()
    offsets = torch.stack(
        [_slice(m, row, col, pooled.size) for m, (row, col) in zip(maps, first, strict=True)]
    )
    place = torch.arange(op.kernel**2, device=offsets.device)
    place = place // op.kernel * below.size + place % op.kernel
    cells = torch.arange(pooled.size, device=offsets.device) * op.stride
    corner = (cells[:, None] * below.size + cells)[:, :, None]
    chosen = place.index_select(0, offsets.flatten().int()).view(offsets.shape)
    return chosen.add_(corner)


def _slice(
    values: UInt8[Tensor, "map_row map_col channel"], row: int, col: int, side: int
) -> UInt8[Tensor, "side side channel"]:
    """A square out of a map; 0 where it reaches outside."""
    found = values.new_zeros(side, side, values.shape[2])
    top, left = max(0, row), max(0, col)
    part = values[top : row + side, left : col + side]
    found[top - row : top - row + part.shape[0], left - col : left - col + part.shape[1]] = part
    return found
