"""Every operation as a plain torch function of maps."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import assert_never

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from pipeline.network.curves import apply_curve
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
    Op,
    Pad,
    Resample,
    Scale,
    Select,
)
from pipeline.network.window import Pair, Window

Maps = Float[Tensor, "image _ _ _"]
"""Maps (image, channel, row, col); a function may change all but the number of images."""
Border = tuple[int, int, int, int]
"""Cells added left, right, above and below, as `torch.nn.functional.pad` takes them."""


def apply_op(
    op: Op,
    inputs: Sequence[Maps],
    cells: Pair,
    tensors: Mapping[str, Float[Tensor, "..."]],
    *,
    training: bool = False,
) -> Maps:
    """The output, maps of so many cells, of an operation whose weights are `tensors` by name."""

    def given(name: str | None) -> Tensor | None:
        return None if name is None else tensors[name]

    signal = inputs[0]
    match op:
        case Conv():
            padded, padding = pad_for(op.window, signal, cells)
            stride, dilation = op.window.stride, op.window.dilation
            return functional.conv2d(
                padded, tensors[op.weight], given(op.bias), stride, padding, dilation, op.groups
            )
        case Linear():
            return _linear(op, signal, tensors[op.weight], given(op.bias))
        case BatchNorm():
            mean, variance, weight, bias = map(given, (op.mean, op.variance, op.weight, op.bias))
            return functional.batch_norm(signal, mean, variance, weight, bias, eps=op.epsilon)
        case Scale():
            return _scaled(signal, given(op.factor), given(op.shift))
        case ChannelNorm():
            last, weight, bias = signal.movedim(1, 3), given(op.weight), given(op.bias)
            return functional.layer_norm(last, last.shape[3:], weight, bias, op.epsilon).movedim(
                3, 1
            )
        case MapNorm():
            weight, bias = given(op.weight), given(op.bias)
            return functional.group_norm(signal, op.groups, weight, bias, op.epsilon)
        case Dropout():
            return functional.dropout(signal, op.probability, training)
        case _:
            return _weightless(op, inputs, cells)


def _weightless(
    op: Input
    | Curve
    | MaxPool
    | MeanPool
    | Resample
    | Add
    | Mul
    | Cat
    | Select
    | LocalResponseNorm
    | Pad,
    inputs: Sequence[Maps],
    cells: Pair,
) -> Maps:
    signal = inputs[0]
    match op:
        case Curve():
            return apply_curve(op, signal)
        case MaxPool():
            return max_pool(op.window, signal, cells)[0]
        case MeanPool():
            return _mean_pool(op, signal, cells)
        case Resample():
            rows, cols = resampling(op, signal, cells)
            return rows @ signal @ cols.T
        case Add():
            total = signal + inputs[1]
            for other in inputs[2:]:
                total = total + other
            return total
        case Mul():
            return signal * inputs[1]
        case Cat():
            return torch.cat(list(inputs), dim=1)
        case Select():
            return signal[:, list(op.channels)]
        case LocalResponseNorm():
            # torch divides alpha by the number of channels; the paper's formula does not.
            alpha = op.alpha * op.channels
            return functional.local_response_norm(signal, op.channels, alpha, op.beta, op.k)
        case Pad():
            return functional.pad(signal, added(op.before, signal, cells), value=op.value)
        case Input():
            return signal
        case _:
            assert_never(op)


def pad_for(window: Window, signal: Maps, cells: Pair) -> tuple[Maps, Pair]:
    """Maps and the symmetric padding with which a convolution of them makes so many cells.

    What symmetric padding cannot say is added to, or cut off, the maps themselves.
    """
    rows, cols = signal.shape[2:]
    after = window.after((rows, cols), cells)
    excess = [last - first for first, last in zip(window.before, after, strict=True)]
    if all(-stride < over for over, stride in zip(excess, window.stride, strict=True)):
        right, below = max(0, excess[1]), max(0, excess[0])
        border = (0, right, 0, below)
        return (functional.pad(signal, border) if right or below else signal), window.before
    (above, left), (below, right) = window.before, after
    return functional.pad(signal, (left, right, above, below)), (0, 0)


def added(before: Pair, signal: Maps, cells: Pair) -> Border:
    """The border that makes maps of so many cells, with `before` above and to the left."""
    (above, left), (rows, cols) = before, signal.shape[2:]
    return left, cells[1] - cols - left, above, cells[0] - rows - above


def _linear(op: Linear, signal: Maps, weight: Tensor, bias: Tensor | None) -> Maps:
    if op.per_cell:
        return functional.linear(signal.movedim(1, 3), weight, bias).movedim(3, 1)
    return functional.linear(signal.flatten(1), weight, bias)[:, :, None, None]


def _scaled(signal: Maps, factor: Tensor | None, shift: Tensor | None) -> Maps:
    if factor is not None:
        signal = signal * factor[:, None, None]
    return signal if shift is None else signal + shift[:, None, None]


def max_pool(window: Window, signal: Maps, cells: Pair) -> tuple[Maps, Tensor]:
    """Maxima, and the position of each on its map; of equal values the first, row by row."""
    after = window.after((signal.shape[2], signal.shape[3]), cells)
    excess = [last - first for first, last in zip(window.before, after, strict=True)]
    halves = all(
        2 * first <= size for first, size in zip(window.before, window.kernel, strict=True)
    )
    ceils = all(0 <= over < stride for over, stride in zip(excess, window.stride, strict=True))
    floors = all(-stride < over <= 0 for over, stride in zip(excess, window.stride, strict=True))
    if halves and (ceils or floors):
        return functional.max_pool2d_with_indices(
            signal, window.kernel, window.stride, window.before, window.dilation, ceil_mode=ceils
        )
    return _padded_max_pool(window, signal, after)


def _padded_max_pool(window: Window, signal: Maps, after: Pair) -> tuple[Maps, Tensor]:
    """Windows that torch's own pool does not have: the map gets a border of −∞."""
    (above, left), (below, right), cols = window.before, after, signal.shape[3]
    around = functional.pad(signal, (left, right, above, below), value=-torch.inf)
    pooled, index = functional.max_pool2d_with_indices(
        around, window.kernel, window.stride, (0, 0), window.dilation
    )
    width = around.shape[3]
    row, col = index.div(width, rounding_mode="floor") - above, index % width - left
    return pooled, row * cols + col


def _mean_pool(op: MeanPool, signal: Maps, cells: Pair) -> Maps:
    sums = window_sums(op.window, *pad_for(op.window, signal, cells))
    rows, cols = mean_shares(op, (signal.shape[2], signal.shape[3]), cells, signal)
    return sums * rows[:, None] * cols


def window_sums(window: Window, signal: Maps, padding: Pair) -> Maps:
    """The sum of each window on maps with that border of zeros."""
    channels = signal.shape[1]
    ones = signal.new_ones(channels, 1, *window.kernel)
    return functional.conv2d(signal, ones, None, window.stride, padding, window.dilation, channels)


def mean_shares(
    op: MeanPool, size: Pair, cells: Pair, like: Tensor
) -> tuple[Float[Tensor, " row"], Float[Tensor, " col"]]:
    """By which a mean pool's sums are multiplied: a factor of each row and one of each column."""
    rows, cols = (like.new_tensor(op.shares(axis, size[axis], cells[axis])) for axis in (0, 1))
    return rows, cols


def resampling(
    op: Resample, like: Float[Tensor, "*_ row col"], cells: Pair
) -> tuple[Float[Tensor, "_ row"], Float[Tensor, "_ col"]]:
    """The matrices that resample maps of the size of `like` along rows and along columns."""
    rows, cols = (
        _resampling(op, axis, like.shape[axis - 2], cells[axis]).to(like) for axis in (0, 1)
    )
    return rows, cols


def _resampling(op: Resample, axis: int, size: int, count: int) -> Float[Tensor, "new old"]:
    unit = torch.eye(size, dtype=torch.float64)[:, None]
    resized = partial(functional.interpolate, unit, size=count)
    if op.factor is not None:
        resized = partial(functional.interpolate, unit, scale_factor=op.factor[axis])
    match op.kind:
        case "mean":
            new = functional.adaptive_avg_pool1d(unit, count)
        case "nearest":
            new = resized(mode="nearest")
        case "nearest_exact":
            new = resized(mode="nearest-exact")
        case "linear":
            new = resized(mode="linear", align_corners=False)
        case "linear_corners":
            new = resized(mode="linear", align_corners=True)
        case _:
            assert_never(op.kind)
    return new[:, 0].T
