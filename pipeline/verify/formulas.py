"""The operations of a network, written from their formulas, in torch's plain functions."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, assert_never

import torch
from jaxtyping import Float64, Int64
from torch import Tensor
from torch.nn import functional

from pipeline.network.graph import Node
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
    Resample,
    Scale,
    Select,
)
from pipeline.network.window import Pair, Window
from pipeline.verify.curves import CURVES, Rule, activate


class _PassedBy(torch.autograd.Function):
    """Contrast norm on the way up, nothing on the way down."""

    @staticmethod
    def forward(_: Any, values: Tensor, op: LocalResponseNorm) -> Tensor:
        """Divide by (k + alpha · the sum of squares over neighbouring channels) ** beta."""
        before = op.channels // 2
        padded = functional.pad(values**2, (0, 0, 0, 0, before, op.channels - 1 - before))
        squares = padded.unfold(1, op.channels, 1).sum(dim=-1)
        return values / (op.k + op.alpha * squares) ** op.beta

    @staticmethod
    def backward(_: Any, signal: Tensor) -> tuple[Tensor, None]:
        """The signal itself."""
        return signal, None


def apply_node(
    node: Node,
    inputs: Sequence[Tensor],
    weights: Mapping[str, Tensor],
    rule: Rule,
    slope: Tensor | None = None,
) -> Tensor:
    """The output of any node but a max pool and the input.

    `slope` stands for an activation function's own on the way down.
    """
    signal, op = inputs[0], node.op
    match op:
        case Conv():
            around = _bordered(op.window, signal, node, 0.0)
            return functional.conv2d(
                around, weights[op.weight], _given(weights, op.bias), op.window.stride,
                dilation=op.window.dilation, groups=op.groups,
            )  # fmt: skip
        case Linear():
            return _linear(op, signal, weights[op.weight], _given(weights, op.bias))
        case BatchNorm() | Scale():
            return _scaled(op, signal, weights)
        case Curve():
            return activate(signal, CURVES[op.kind](op.slope), rule, slope)
        case LocalResponseNorm():
            passed: Tensor = _PassedBy.apply(signal, op)
            return passed
        case MeanPool():
            sums = _unfolded(op.window, _bordered(op.window, signal, node, 0.0)).sum(dim=4)
            shares = (
                signal.new_tensor(op.shares(axis, signal.shape[2 + axis], node.shape[1 + axis]))
                for axis in (0, 1)
            )
            by_row, by_col = shares
            return sums * by_row[:, None] * by_col
        case Resample():
            return _resampled(op, signal, node.shape[1:])
        case Add():
            return torch.stack(list(inputs)).sum(dim=0)
        case Mul():
            return signal * inputs[1].detach()
        case Cat():
            return torch.cat(list(inputs), dim=1)
        case Select():
            return torch.stack([signal[:, channel] for channel in op.channels], dim=1)
        case ChannelNorm() | MapNorm():
            return _normed(op, signal, weights)
        case Pad():
            (above, left), (rows, cols) = op.before, node.shape[1:]
            below, right = rows - above - signal.shape[2], cols - left - signal.shape[3]
            return functional.pad(signal, (left, right, above, below), value=op.value)
        case Dropout():
            return signal
        case Input() | MaxPool():
            raise ValueError(f"{op} is not applied to maps alone")
        case _:
            assert_never(op)


def _given(weights: Mapping[str, Tensor], name: str | None) -> Tensor | None:
    return None if name is None else weights[name]


def _linear(op: Linear, signal: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    if op.per_cell:
        return functional.conv2d(signal, weight[:, :, None, None], bias)
    return functional.linear(signal.flatten(1), weight, bias)[:, :, None, None]


def _scaled(op: BatchNorm | Scale, signal: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
    factor, shift = (op.weight, op.bias) if isinstance(op, BatchNorm) else (op.factor, op.shift)
    if isinstance(op, BatchNorm):
        deviation = (weights[op.variance] + op.epsilon).sqrt()
        signal = (signal - weights[op.mean][:, None, None]) / deviation[:, None, None]
    return _weighted(signal, _given(weights, factor), _given(weights, shift))


def _weighted(signal: Tensor, factor: Tensor | None, shift: Tensor | None) -> Tensor:
    if factor is not None:
        signal = signal * factor[:, None, None]
    return signal if shift is None else signal + shift[:, None, None]


def _normed(op: ChannelNorm | MapNorm, signal: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
    """A norm whose deviation is a constant on the way down."""
    axes = (2,) if isinstance(op, ChannelNorm) else (2, 3, 4)
    groups = 1 if isinstance(op, ChannelNorm) else op.groups
    values = signal.reshape(len(signal), groups, -1, *signal.shape[2:])
    centred = values - values.mean(dim=axes, keepdim=True)
    deviation = (centred.square().mean(dim=axes, keepdim=True) + op.epsilon).sqrt().detach()
    divided = (centred / deviation).reshape(signal.shape)
    return _weighted(divided, _given(weights, op.weight), _given(weights, op.bias))


def _resampled(op: Resample, signal: Tensor, cells: Pair) -> Tensor:
    resized = partial(functional.interpolate, signal, size=cells)
    if op.factor is not None:
        resized = partial(functional.interpolate, signal, scale_factor=op.factor)
    match op.kind:
        case "mean":
            return functional.adaptive_avg_pool2d(signal, cells)
        case "nearest":
            return resized(mode="nearest")
        case "nearest_exact":
            return resized(mode="nearest-exact")
        case "linear":
            return resized(mode="bilinear", align_corners=False)
        case "linear_corners":
            return resized(mode="bilinear", align_corners=True)
        case _:
            assert_never(op.kind)


def _bordered(window: Window, signal: Tensor, node: Node, value: float) -> Tensor:
    """The map with the padding that the node's windows read around it."""
    (above, left), (rows, cols) = window.before, signal.shape[2:]
    reached = [
        (node.shape[1 + axis] - 1) * window.stride[axis]
        + (window.kernel[axis] - 1) * window.dilation[axis]
        + 1
        for axis in (0, 1)
    ]
    border = (left, reached[1] - left - cols, above, reached[0] - above - rows)
    return functional.pad(signal, border, value=value)


def pool_windows(node: Node, signal: Tensor) -> Tensor:
    """The values of each window of a pool (image, channel, row, col, value); −∞ off the map."""
    assert isinstance(node.op, MaxPool)
    return _unfolded(node.op.window, _bordered(node.op.window, signal, node, -torch.inf))


def _unfolded(window: Window, signal: Tensor) -> Tensor:
    """The values of each window (image, channel, row, col, value), row by row."""
    (rows, cols), (row_step, col_step) = window.kernel, window.dilation
    parts = signal.unfold(2, (rows - 1) * row_step + 1, window.stride[0])
    parts = parts.unfold(3, (cols - 1) * col_step + 1, window.stride[1])
    return parts[..., ::row_step, ::col_step].flatten(4)


def chosen_maxima(windows: Tensor, choice: Tensor | None) -> Tensor:
    """The chosen value of each window, or the first of its largest ones."""
    chosen = first_maximum(windows.detach()) if choice is None else choice[None]
    return windows.gather(4, chosen[..., None])[..., 0]


def first_maximum(
    windows: Float64[Tensor, "*map value"],
) -> Int64[Tensor, "*map"]:
    """The place of the largest value along the last axis; of equal ones the first. NaN is larger
    than any number."""
    largest = (windows == windows.amax(dim=-1, keepdim=True)) | windows.isnan()
    return largest.byte().argmax(dim=-1)  # which of equal values is torch's promise: the first
