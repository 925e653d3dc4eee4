"""Rules for what has weights: convolutions and linear layers."""

import math
from typing import Any

import torch

from pipeline.adopt.arrangement import Arrangement
from pipeline.adopt.reading import Constant, Reading, Value, plain
from pipeline.adopt.rules.pools import without_border
from pipeline.adopt.rules.registry import as_constant, as_pair, kept, map_shape, rule
from pipeline.adopt.trace import Call, UnreadableError
from pipeline.network.ops import Conv, Linear
from pipeline.network.window import Window


@rule("conv2d", "conv2d.padding")
def _conv(reading: Reading, call: Call, args: list[Any]) -> Value:
    tensor, weight, bias, stride, padding, dilation, groups = args
    as_constant(call, weight)
    kernel = as_pair(weight.tensor.shape[2:])
    spread = as_pair(dilation)
    if padding == "same":
        padding = [(spread[axis] * (kernel[axis] - 1)) // 2 for axis in (0, 1)]
    before = (0, 0) if padding == "valid" else as_pair(padding)
    node, border = without_border(reading, reading.position(tensor, call), 0.0)
    window = Window(kernel, as_pair(stride), (before[0] + border[0], before[1] + border[1]), spread)
    op = Conv(
        window,
        reading.keep_constant(weight, call, "weight"),
        kept(reading, call, bias, "bias"),
        groups,
    )
    return reading.add(op, [node], map_shape(call), call.path)


@rule("linear")
def _linear(reading: Reading, call: Call, args: list[Any]) -> Value:
    tensor, weight, bias = args
    as_constant(call, weight)
    out, features = weight.tensor.shape
    named = kept(reading, call, bias, "bias")
    _, rows, cols = tensor.map
    if tensor.whole and math.prod(tensor.shape) == features:
        ordered = _reordered(weight, tensor)
        op = Linear(reading.keep_constant(ordered, call, "weight"), named)
        return reading.add(op, [tensor.node], (out, 1, 1), call.path).as_shape((1, out))
    if math.prod(tensor.shape) == features:
        node = reading.position(tensor, call)
        op = Linear(reading.keep_constant(weight, call, "weight"), named)
        return reading.add(op, [node], (out, 1, 1), call.path).as_shape((1, out))
    cells = tensor.cells.reshape(-1, features).T
    if not tensor.whole or not cells.equal(torch.arange(cells.numel()).reshape(cells.shape)):
        raise UnreadableError(f"{call.place} on something else than the channels of each cell.")
    op = Linear(reading.keep_constant(weight, call, "weight"), named, per_cell=True)
    added = reading.add(op, [tensor.node], (out, rows, cols), call.path)
    return added.channels_last((*tensor.shape[:-1], out))


def _reordered(weight: Constant, tensor: Arrangement) -> Constant:
    """A weight for the features of a map in the map's own order."""
    if tensor.order is None:
        return weight
    ordered = torch.empty_like(weight.tensor)
    ordered[:, tensor.order.flatten()] = weight.tensor
    return Constant(ordered)


@rule("conv1d")
def _conv1d(reading: Reading, call: Call, args: list[Any]) -> Value:
    """Along the features of a vector it is a linear layer with a banded weight."""
    tensor, *rest = args
    if not tensor.whole or tensor.map[1:] != (1, 1) or tensor.shape != (1, 1, tensor.map[0]):
        raise UnreadableError(f"{call.place} on something else than the features of a vector.")
    rest = plain(rest)
    basis = torch.eye(tensor.map[0], dtype=rest[0].dtype)[:, None]
    rest[1], bias = None, rest[1]
    weight = Constant(call.compute([basis, *rest])[:, 0].T)
    shift = None if bias is None else Constant(bias.expand(len(weight.tensor)))
    op = Linear(reading.keep_constant(weight, call, "weight"), kept(reading, call, shift, "bias"))
    out = len(weight.tensor)
    return reading.add(op, [tensor.node], (out, 1, 1), call.path).as_shape(call.shape)
