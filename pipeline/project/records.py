"""The records of a forward pass at single nodes: switches, slopes, gates, deviations."""

from collections.abc import Sequence

import torch
from jaxtyping import Int64, Shaped, UInt8
from torch import Tensor

from pipeline.network.curves import apply_curve
from pipeline.network.functions import Maps
from pipeline.network.ops import ChannelNorm, Curve, MapNorm, Mul, Op
from pipeline.network.window import Window


def record_of(op: Op, inputs: Sequence[Maps]) -> Shaped[Tensor, "image _ _ _"]:
    """What the way down needs at a node that is not a pool, channels last."""
    signal = inputs[0]
    if isinstance(op, Curve):
        return _slope(op, signal).permute(0, 2, 3, 1)
    if isinstance(op, Mul):
        return inputs[1].permute(0, 2, 3, 1)
    if isinstance(op, ChannelNorm):
        variance = signal.var(dim=1, correction=0, keepdim=True)
        return (variance + op.epsilon).rsqrt().permute(0, 2, 3, 1)
    assert isinstance(op, MapNorm)
    values = signal.reshape(len(signal), op.groups, -1)
    scale = (values.var(dim=2, correction=0) + op.epsilon).rsqrt()
    return scale.repeat_interleave(signal.shape[1] // op.groups, dim=1)[:, None, None]


def _slope(op: Curve, signal: Maps) -> Shaped[Tensor, "image _ _ _"]:
    """The derivative of an activation function; of a ReLU a byte per cell."""
    if op.kind == "relu":
        return signal > 0
    if op.kind == "relu6":
        return (signal > 0) & (signal < 6)
    with torch.inference_mode(mode=False), torch.enable_grad():
        values = signal.detach().clone().requires_grad_()
        (slope,) = torch.autograd.grad(apply_curve(op, values).sum(), values)
    return slope


def offsets(
    window: Window, index: Int64[Tensor, "entry row col channel"], side: int
) -> UInt8[Tensor, "entry row col channel"]:
    """Positions of maxima on a map of `side` columns as positions in each cell's own window."""
    rows, cols = (
        torch.arange(count, device=index.device) * stride - before
        for count, stride, before in zip(
            index.shape[1:3], window.stride, window.before, strict=True
        )
    )
    if window.dilation != (1, 1) or window.kernel[1] > side:
        row = index.div(side, rounding_mode="floor") - rows[:, None, None]
        col = index % side - cols[:, None]
        (row_step, col_step), width = window.dilation, window.kernel[1]
        return (row // row_step * width + col // col_step).to(torch.uint8)
    inner = (index - (rows[:, None] * side + cols)[:, :, None]).int()
    # Compared, not divided: rows are few and integer division is slow.
    above = sum((inner >= side * row).int() for row in range(1, window.kernel[0]))
    return (inner - above * (side - window.kernel[1])).to(torch.uint8)
