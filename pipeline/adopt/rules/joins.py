"""Sums, products and concatenations."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from pipeline.adopt.arrangement import Arrangement
from pipeline.adopt.reading import Constant, Reading, Value
from pipeline.adopt.rules.pools import are_cells
from pipeline.adopt.rules.registry import as_tensor, kept, number, rule
from pipeline.adopt.trace import Call, UnreadableError
from pipeline.network.ops import Add, Cat, Curve, MeanPool, Mul, Resample, Scale, Select
from pipeline.network.window import Window

GATES = ("sigmoid", "hardsigmoid", "tanh", "softplus")
"""Curves that a gate ends in, but for what repeats, scales, shifts or gates it."""


@rule("sum.dim_IntList")
def _sum(reading: Reading, call: Call, args: list[Any]) -> Value:
    """Of all cells of a map, or of its parts."""
    tensor, dims, keeps, _ = args
    if are_cells(tensor, dims):
        op = MeanPool(Window(tensor.map[1:]), divisor=1)
        added = reading.add(op, [tensor.node], (tensor.map[0], 1, 1), call.path)
        return added.as_shape(call.shape)
    if len(dims) != 1:
        raise UnreadableError(f"{call.place} over several dimensions.")
    parts = [
        reading.position(tensor.rearranged(part), call)
        for part in tensor.cells.split(1, dims[0])
        for part in [part if keeps else part.squeeze(dims[0])]
    ]
    if len(parts) == 1:
        raise UnreadableError(f"{call.place} over one part.")
    shape = reading.nodes[parts[0]].shape
    return reading.add(Add(), parts, shape, call.path).as_shape(call.shape)


@rule("cat")
def _cat(reading: Reading, call: Call, args: list[Any]) -> Value:
    parts, dim = args
    if not all(isinstance(part, Arrangement) for part in parts):
        raise UnreadableError(f"{call.place} of a map and constants.")
    joined = _of_one_map(parts, dim)
    if joined is not None:
        return joined
    dim %= len(call.shape)
    if len(call.shape) == 4 and dim == 3:
        parts = [part.rearranged(part.cells.permute(0, 3, 1, 2)) for part in parts]
    elif dim != 1:
        raise UnreadableError(f"{call.place} along another axis than the channels.")
    nodes = [reading.position(part, call) for part in parts]
    _, rows, cols = reading.nodes[nodes[0]].shape
    channels = sum(reading.nodes[node].shape[0] for node in nodes)
    added = reading.add(Cat(), nodes, (channels, rows, cols), call.path)
    return added.channels_last(call.shape) if dim == 3 else added.as_shape(call.shape)


def _of_one_map(parts: Sequence[Arrangement], dim: int) -> Arrangement | None:
    """Parts of one map put together to that map, in whatever order."""
    if len({part.node for part in parts}) > 1:
        return None
    joined = parts[0].rearranged(torch.cat([part.cells for part in parts], dim))
    return joined if joined.whole else None


@rule("stack")
def _stack(reading: Reading, call: Call, args: list[Any]) -> Value:
    parts, dim = args
    if dim != 1:
        raise UnreadableError(f"{call.place} along another axis than the channels.")
    nodes = [reading.position(part, call) for part in parts]
    channels, rows, cols = reading.nodes[nodes[0]].shape
    added = reading.add(Cat(), nodes, (channels * len(nodes), rows, cols), call.path)
    return added.as_shape(call.shape)


@rule("add.Tensor", "add.Scalar", "sub.Tensor", "sub.Scalar", "rsub.Scalar")
def _add(reading: Reading, call: Call, args: list[Any]) -> Value:
    left, right, times = args
    if call.op.startswith("rsub"):
        left, right = right, left
    sign = -1 if "sub" in call.op else 1
    if isinstance(left, Arrangement) and isinstance(right, Arrangement):
        factor = sign * times
        if factor != 1:
            right = scaled(reading, call, right, factor=number(factor))
        return _joined(reading, call, left, right)
    if isinstance(left, Arrangement):
        return scaled(reading, call, left, shift=sign * times * as_tensor(right))
    factor = number(sign * times)
    return scaled(reading, call, right, factor=factor, shift=as_tensor(left))


def _joined(reading: Reading, call: Call, left: Arrangement, right: Arrangement) -> Arrangement:
    """The sum of two tensors, each spread to the shape of both."""
    if left.same_as(right) and left.whole:
        added = reading.add(Add(), [left.node, right.node], left.map, call.path)
        return left.on(added.node)
    shape = tuple(call.shape)
    spread = [part.rearranged(part.cells.broadcast_to(shape)) for part in (left, right)]
    nodes = [reading.position(part, call) for part in spread]
    return reading.add(Add(), nodes, reading.nodes[nodes[0]].shape, call.path).as_shape(shape)


@rule("neg")
def _neg(reading: Reading, call: Call, args: list[Any]) -> Value:
    return scaled(reading, call, args[0], factor=number(-1))


@rule("mul.Tensor", "multiply.Tensor", "mul.Scalar", "div.Tensor", "div.Scalar")
def _mul(reading: Reading, call: Call, args: list[Any]) -> Value:
    left, right = args
    if call.op.startswith("div"):
        if isinstance(right, Arrangement):
            raise UnreadableError(f"{call.place} by a map.")
        return scaled(reading, call, left, factor=1 / as_tensor(right))
    if not isinstance(left, Arrangement):
        left, right = right, left
    if not isinstance(right, Arrangement):
        return scaled(reading, call, left, factor=as_tensor(right))
    return _gated(reading, call, left, right)


def _gated(reading: Reading, call: Call, left: Arrangement, right: Arrangement) -> Arrangement:
    """A map times its gate: the smaller of the two, or the one that ends in a gate's curve."""
    if left.shape != right.shape:
        signal, gate = (left, right) if left.shape == call.shape else (right, left)
    elif _ends_in_gate(reading, right) or _ends_in_gate(reading, left):
        signal, gate = (left, right) if _ends_in_gate(reading, right) else (right, left)
    else:
        raise UnreadableError(f"{call.place} of two maps, of which neither is a gate.")
    signal = reading.whole(signal, call)
    if signal.shape != call.shape:
        raise UnreadableError(f"{call.place} of two maps that both have to be repeated.")
    node = _gate_node(reading, call, signal, gate)
    added = reading.add(Mul(), [signal.node, node], signal.map, call.path)
    return signal.on(added.node)


def _ends_in_gate(reading: Reading, tensor: Arrangement) -> bool:
    node = reading.nodes[tensor.node]
    while isinstance(node.op, Resample | Select | Scale | Mul):
        node = reading.nodes[node.inputs[0]]
    return isinstance(node.op, Curve) and node.op.kind in GATES


def _gate_node(reading: Reading, call: Call, signal: Arrangement, gate: Arrangement) -> int:
    """The gate as a map of the signal's channels or of one, of its cells or of one."""
    taken = signal.on_map(gate.cells)
    own = torch.arange(math.prod(gate.map)).reshape(gate.map[0], -1)
    fits = gate.map[0] in (1, signal.map[0]) and gate.map[1:] in ((1, 1), signal.map[1:])
    if fits and taken.equal(own.expand_as(taken)):
        return gate.node
    if gate.map[1:] == (1, 1) and taken.equal(taken[:, :1].expand_as(taken)):
        picks = tuple(taken[:, 0].tolist())
        return reading.add(Select(picks), [gate.node], (len(picks), 1, 1), call.path).node
    if signal.order is not None:
        raise UnreadableError(f"{call.place} by a gate in another order than the map.")
    return reading.position(gate.rearranged(gate.cells.broadcast_to(signal.shape)), call)


def scaled(
    reading: Reading,
    call: Call,
    tensor: Arrangement,
    factor: Tensor | None = None,
    shift: Tensor | None = None,
) -> Arrangement:
    """A tensor times and plus constants, each of which must be the same in all cells."""
    if math.prod(call.shape) != math.prod(tensor.shape):
        raise UnreadableError(f"{call.place} of a tensor and a larger constant.")
    tensor = reading.whole(tensor, call)
    names = []
    for kind, constant in (("factor", factor), ("shift", shift)):
        by_channel = None if constant is None else tensor.by_channel(constant)
        if constant is not None and by_channel is None:
            raise UnreadableError(f"{call.place} of a map and constants that differ by cell.")
        values = None if by_channel is None else Constant(by_channel)
        names.append(kept(reading, call, values, kind))
    return reading.over(Scale(*names), tensor, call.path)
