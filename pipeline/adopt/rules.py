"""What each operation of torch becomes: nodes of a graph."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from pipeline.adopt.arrangement import Arrangement
from pipeline.adopt.reading import Constant, Reading, Value
from pipeline.adopt.trace import Call, UnreadableError
from pipeline.network.ops import (
    Add,
    BatchNorm,
    Cat,
    ChannelNorm,
    Conv,
    Curve,
    CurveKind,
    Linear,
    LocalResponseNorm,
    MapNorm,
    MaxPool,
    MeanPool,
    Mul,
    Op,
    Pad,
    Pair,
    Resample,
    Scale,
    Select,
    Shape,
    Window,
)

Rule = Callable[[Reading, Call, list[Any]], Value]
RULES: dict[str, Rule] = {}
"""By operation, as `Call.op` names it."""
REARRANGING = frozenset(
    "alias channel_shuffle chunk clone contiguous detach expand flatten.using_ints flip "
    "index_select lift_fresh_copy narrow native_channel_shuffle permute pixel_shuffle "
    "pixel_unshuffle reshape roll select.int slice.Tensor split.Tensor split_with_sizes squeeze "
    "squeeze.dim squeeze.dims t transpose.int unbind.int unflatten.int unsqueeze view".split()
)
"""Operations that move entries and change none: they run on positions."""
CURVES: dict[str, CurveKind] = {
    "relu": "relu",
    "relu6": "relu6",
    "silu": "silu",
    "hardswish": "hardswish",
    "hardsigmoid": "hardsigmoid",
    "sigmoid": "sigmoid",
    "tanh": "tanh",
    "mish": "mish",
}


def rule(*ops: str) -> Callable[[Rule], Rule]:
    """Register a rule for some operations."""

    def register(function: Rule) -> Rule:
        RULES.update(dict.fromkeys(ops, function))
        return function

    return register


@rule(*CURVES)
def _curve(reading: Reading, call: Call, args: list[Any]) -> Value:
    return _apply(reading, call, args[0], Curve(CURVES[call.op]))


@rule("hardtanh", "clamp", "clamp_min")
def _clamp(reading: Reading, call: Call, args: list[Any]) -> Value:
    low, high = (*args[1:3], None, None)[:2]
    if low == 0 and high in (None, math.inf):
        return _apply(reading, call, args[0], Curve("relu"))
    if low == 0 and high == 6:
        return _apply(reading, call, args[0], Curve("relu6"))
    raise UnreadableError(f"{call.place} between {low} and {high}; 0 and 6 are read.")


@rule("leaky_relu", "elu")
def _sloped(reading: Reading, call: Call, args: list[Any]) -> Value:
    if any(factor != 1 for factor in args[2:]):
        raise UnreadableError(f"{call.place} with other factors than 1.")
    kind: CurveKind = "elu" if call.op == "elu" else "leaky_relu"
    return _apply(reading, call, args[0], Curve(kind, float(args[1])))


@rule("prelu")
def _prelu(reading: Reading, call: Call, args: list[Any]) -> Value:
    slopes = args[1].tensor.unique()
    if len(slopes) != 1:
        raise UnreadableError(f"{call.place} with a slope for each channel.")
    return _apply(reading, call, args[0], Curve("leaky_relu", float(slopes[0])))


@rule("gelu")
def _gelu(reading: Reading, call: Call, args: list[Any]) -> Value:
    kind: CurveKind = "gelu" if args[1] == "none" else "gelu_tanh"
    return _apply(reading, call, args[0], Curve(kind))


@rule("softplus")
def _softplus(reading: Reading, call: Call, args: list[Any]) -> Value:
    if args[1] != 1:
        raise UnreadableError(f"{call.place} with beta {args[1]}; 1 is read.")
    return _apply(reading, call, args[0], Curve("softplus"))


def _apply(reading: Reading, call: Call, tensor: Arrangement, op: Op) -> Arrangement:
    """An operation that works cell by cell, and so on any arrangement."""
    return reading.over(op, reading.whole(tensor, call), call.path)


@rule("conv2d", "conv2d.padding")
def _conv(reading: Reading, call: Call, args: list[Any]) -> Value:
    tensor, weight, bias, stride, padding, dilation, groups = args
    _check_constant(call, weight)
    kernel = _pair(weight.tensor.shape[2:])
    spread = _pair(dilation)
    if padding == "same":
        padding = [(spread[axis] * (kernel[axis] - 1)) // 2 for axis in (0, 1)]
    before = (0, 0) if padding == "valid" else _pair(padding)
    node, border = _without_border(reading, reading.position(tensor, call), 0.0)
    window = Window(
        kernel, _pair(stride), (before[0] + border[0], before[1] + border[1]), spread
    )
    op = Conv(
        window,
        reading.keep_constant(weight, call, "weight"),
        _kept(reading, call, bias, "bias"),
        groups,
    )
    return reading.add(op, [node], _map_of(call), call.path)


def _without_border(reading: Reading, node: int, value: float) -> tuple[int, Pair]:
    """What a border of one value surrounds, and how wide it is above and to the left.

    A window's own padding then stands for the border.
    """
    found = reading.nodes[node]
    if isinstance(found.op, Pad) and found.op.value == value and min(found.op.before) >= 0:
        inner = reading.nodes[found.inputs[0]].shape
        after = [found.shape[1 + a] - inner[1 + a] - found.op.before[a] for a in (0, 1)]
        if min(after) >= 0:
            return found.inputs[0], found.op.before
    return node, (0, 0)


@rule("linear")
def _linear(reading: Reading, call: Call, args: list[Any]) -> Value:
    tensor, weight, bias = args
    _check_constant(call, weight)
    out, features = weight.tensor.shape
    named = _kept(reading, call, bias, "bias")
    channels, rows, cols = tensor.map
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
    rest = [part.tensor if isinstance(part, Constant) else part for part in rest]
    basis = torch.eye(tensor.map[0], dtype=rest[0].dtype)[:, None]
    rest[1], bias = None, rest[1]
    weight = Constant(call.compute([basis, *rest])[:, 0].T)
    shift = None if bias is None else Constant(bias.expand(len(weight.tensor)))
    op = Linear(
        reading.keep_constant(weight, call, "weight"), _kept(reading, call, shift, "bias")
    )
    out = len(weight.tensor)
    return reading.add(op, [tensor.node], (out, 1, 1), call.path).as_shape(call.shape)


@rule("_native_batch_norm_legit_no_training")
def _batch_norm(reading: Reading, call: Call, args: list[Any]) -> Value:
    tensor, weight, bias, mean, variance, _, epsilon = args
    op = BatchNorm(
        reading.keep_constant(mean, call, "running_mean"),
        reading.keep_constant(variance, call, "running_var"),
        _kept(reading, call, weight, "weight"),
        _kept(reading, call, bias, "bias"),
        float(epsilon),
    )
    return [reading.over(op, reading.as_map(tensor, call), call.path)]


@rule("layer_norm")
def _layer_norm(reading: Reading, call: Call, args: list[Any]) -> Value:
    tensor, over, weight, bias, epsilon, _ = args
    cells = tensor.cells.reshape(-1, over[-1]).T
    ordered = cells.equal(torch.arange(cells.numel()).reshape(cells.shape))
    if len(over) != 1 or not tensor.whole or not ordered:
        raise UnreadableError(f"{call.place} over something else than the channels of each cell.")
    weight, bias = (_kept(reading, call, c, k) for c, k in ((weight, "weight"), (bias, "bias")))
    return reading.over(ChannelNorm(weight, bias, float(epsilon)), tensor, call.path)


@rule("group_norm")
def _group_norm(reading: Reading, call: Call, args: list[Any]) -> Value:
    tensor, groups, weight, bias, epsilon, _ = args
    return _map_norm(reading, call, tensor, groups, (weight, bias, epsilon))


@rule("instance_norm")
def _instance_norm(reading: Reading, call: Call, args: list[Any]) -> Value:
    tensor, weight, bias, _, _, from_the_image, _, epsilon, _ = args
    if not from_the_image:
        raise UnreadableError(f"{call.place} with statistics that do not come from the image.")
    return _map_norm(reading, call, tensor, tensor.shape[1], (weight, bias, epsilon))


def _map_norm(
    reading: Reading, call: Call, tensor: Arrangement, groups: int, facts: tuple[Any, Any, float]
) -> Arrangement:
    weight, bias, epsilon = facts
    op = MapNorm(
        groups,
        _kept(reading, call, weight, "weight"),
        _kept(reading, call, bias, "bias"),
        float(epsilon),
    )
    return reading.over(op, reading.as_map(tensor, call), call.path)


@rule("local_response_norm")
def _local_response_norm(reading: Reading, call: Call, args: list[Any]) -> Value:
    tensor, channels, alpha, beta, k = args
    op = LocalResponseNorm(channels, float(alpha), float(beta), float(k))
    return reading.over(op, reading.as_map(tensor, call), call.path)


@rule("max_pool2d")
def _max_pool(reading: Reading, call: Call, args: list[Any]) -> Value:
    tensor, kernel, stride, padding, dilation, _ = args
    node, border = _without_border(reading, reading.position(tensor, call), -math.inf)
    before = _pair(padding)
    window = Window(
        _pair(kernel),
        _pair(stride or kernel),
        (before[0] + border[0], before[1] + border[1]),
        _pair(dilation),
    )
    return reading.add(MaxPool(window), [node], _map_of(call), call.path)


@rule("adaptive_max_pool2d")
def _adaptive_max_pool(reading: Reading, call: Call, args: list[Any]) -> Value:
    tensor = reading.as_map(args[0], call)
    window = _even_window(tensor.map, _pair(args[1]))
    if window is None:
        raise UnreadableError(f"{call.place} from {tensor.map[1:]} to {args[1]} uneven windows.")
    shape = (tensor.map[0], *_pair(args[1]))
    return [reading.add(MaxPool(window), [tensor.node], shape, call.path)]


@rule("amax")
def _amax(reading: Reading, call: Call, args: list[Any]) -> Value:
    tensor = _over_cells(reading, call, args[0], args[1])
    window = Window(tensor.map[1:])
    added = reading.add(MaxPool(window), [tensor.node], (tensor.map[0], 1, 1), call.path)
    return added.as_shape(call.shape)


@rule("avg_pool2d")
def _avg_pool(reading: Reading, call: Call, args: list[Any]) -> Value:
    tensor, kernel, stride, padding, _, counts_padding, divisor = args
    window = Window(_pair(kernel), _pair(stride or kernel), _pair(padding))
    op = MeanPool(window, counts_padding, divisor)
    return reading.add(op, [reading.position(tensor, call)], _map_of(call), call.path)


@rule("adaptive_avg_pool2d")
def _adaptive_avg_pool(reading: Reading, call: Call, args: list[Any]) -> Value:
    tensor, shape = reading.as_map(args[0], call), _map_of(call)
    window = _even_window(tensor.map, shape[1:])
    if shape == tensor.map:
        return tensor
    whole = shape[1:] == (1, 1) or window is None
    op: Op = Resample("mean") if whole or window is None else MeanPool(window)
    return reading.add(op, [tensor.node], shape, call.path)


def _even_window(of: Shape, cells: Pair) -> Window | None:
    """The window that divides a map into so many equal parts; None where it does not divide."""
    if of[1] % cells[0] or of[2] % cells[1]:
        return None
    side = (of[1] // cells[0], of[2] // cells[1])
    return Window(side, side)


@rule("mean.dim")
def _mean(reading: Reading, call: Call, args: list[Any]) -> Value:
    tensor = _over_cells(reading, call, args[0], args[1])
    shape = (tensor.map[0], 1, 1)
    return reading.add(Resample("mean"), [tensor.node], shape, call.path).as_shape(call.shape)


def _over_cells(
    reading: Reading, call: Call, tensor: Arrangement, dims: Sequence[int]
) -> Arrangement:
    """A map of which a tensor's dimensions `dims` are the rows and columns."""
    tensor = reading.whole(tensor, call)
    last = [dim % len(tensor.shape) for dim in dims]
    kept = [dim for dim in range(len(tensor.shape)) if dim not in last]
    cells = tensor.cells.permute(*kept, *last).flatten()
    if tensor.map[1:] != (1, 1) and (
        math.prod(tensor.shape[dim] for dim in last) != tensor.map[1] * tensor.map[2]
        or not cells.equal(torch.arange(len(cells)))
    ):
        raise UnreadableError(f"{call.place} over something else than all cells of a map.")
    return tensor


@rule("sum.dim_IntList")
def _sum(reading: Reading, call: Call, args: list[Any]) -> Value:
    """Over parts of a map: their sum."""
    tensor, dims, keeps, _ = args
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


@rule("upsample_nearest2d.vec", "upsample_bilinear2d.vec")
def _upsample(reading: Reading, call: Call, args: list[Any]) -> Value:
    corners = call.op == "upsample_bilinear2d.vec" and args[2]
    if call.op == "upsample_nearest2d.vec":
        op = Resample("nearest")
    else:
        op = Resample("linear_corners" if corners else "linear")
    return reading.add(op, [reading.position(args[0], call)], _map_of(call), call.path)


@rule("pad", "constant_pad_nd")
def _pad(reading: Reading, call: Call, args: list[Any]) -> Value:
    tensor, borders = args[:2]
    mode, value = ("constant", args[2]) if call.op == "constant_pad_nd" else args[2:]
    if mode != "constant" or len(borders) > 4 or len(tensor.shape) != 4:
        raise UnreadableError(f"{call.place} with mode {mode!r}, or along other axes than a map's.")
    left, _, above = (*borders, 0, 0)[:3]
    op = Pad((above, left), float(value or 0.0))
    return reading.add(op, [reading.position(tensor, call)], _map_of(call), call.path)


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
            right = _scaled(reading, call, right, factor=torch.tensor(float(factor)))
        return _joined(reading, call, left, right)
    if isinstance(left, Arrangement):
        return _scaled(reading, call, left, shift=sign * times * _tensor(right))
    factor = torch.tensor(float(sign * times))
    return _scaled(reading, call, right, factor=factor, shift=_tensor(left))


def _joined(reading: Reading, call: Call, left: Arrangement, right: Arrangement) -> Arrangement:
    """The sum of two tensors, each spread to the shape of both."""
    if left.same_as(right) and left.whole:
        added = reading.add(Add(), [left.node, right.node], left.map, call.path)
        return left.on(added.node)
    shape = torch.broadcast_shapes(left.shape, right.shape)
    spread = [part.rearranged(part.cells.broadcast_to(shape)) for part in (left, right)]
    nodes = [reading.position(part, call) for part in spread]
    return reading.add(Add(), nodes, reading.nodes[nodes[0]].shape, call.path).as_shape(shape)


@rule("mul.Tensor", "mul.Scalar", "div.Tensor", "div.Scalar")
def _mul(reading: Reading, call: Call, args: list[Any]) -> Value:
    left, right = args
    if call.op.startswith("div"):
        if isinstance(right, Arrangement):
            raise UnreadableError(f"{call.place} by a map.")
        return _scaled(reading, call, left, factor=1 / _tensor(right))
    if not isinstance(left, Arrangement):
        left, right = right, left
    if not isinstance(right, Arrangement):
        return _scaled(reading, call, left, factor=_tensor(right))
    return _gated(reading, call, left, right)


GATES = ("sigmoid", "hardsigmoid", "tanh", "softplus")


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
    while isinstance(node.op, Resample | Select):
        node = reading.nodes[node.inputs[0]]
    return isinstance(node.op, Curve) and node.op.kind in GATES


def _gate_node(reading: Reading, call: Call, signal: Arrangement, gate: Arrangement) -> int:
    """The gate as a number per channel of the signal's map, or as a map of its shape."""
    if gate.map[1:] == (1, 1):
        by_channel = signal.by_channel(gate.cells)
        if by_channel is not None:
            picks = tuple(by_channel.tolist())
            if picks == tuple(range(gate.map[0])):
                return gate.node
            shape = (len(picks), 1, 1)
            return reading.add(Select(picks), [gate.node], shape, call.path).node
    if gate.same_as(signal) and gate.whole:
        return gate.node
    if signal.order is not None:
        raise UnreadableError(f"{call.place} by a gate in another order than the map.")
    return reading.position(gate.rearranged(gate.cells.broadcast_to(signal.shape)), call)


def _scaled(
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
        kept = None if by_channel is None else Constant(by_channel)
        names.append(_kept(reading, call, kept, kind))
    return reading.over(Scale(*names), tensor, call.path)


@rule("getitem")
def _item(reading: Reading, call: Call, args: list[Any]) -> Value:
    results, position = args
    if position >= len(results):
        raise UnreadableError(f"{call.place} for the places of the maxima.")
    return results[position]


@rule(*REARRANGING)
def _rearrange(reading: Reading, call: Call, args: list[Any]) -> Value:
    tensor = args[0]
    values = [part.tensor if isinstance(part, Constant) else part for part in args[1:]]
    made = call.compute([tensor.cells, *values])
    if isinstance(made, Tensor):
        return tensor.rearranged(made)
    return [tensor.rearranged(part) for part in made]


@rule("to.dtype", "_to_copy", "dropout", "contiguous")
def _same(reading: Reading, call: Call, args: list[Any]) -> Value:
    return args[0]


def _kept(reading: Reading, call: Call, constant: object, kind: str) -> str | None:
    if constant is None:
        return None
    return reading.keep_constant(_check_constant(call, constant), call, kind)


def _check_constant(call: Call, value: object) -> Constant:
    if not isinstance(value, Constant):
        raise UnreadableError(f"{call.place} with weights that depend on the image.")
    return value


def _tensor(value: Constant | float) -> Tensor:
    return value.tensor if isinstance(value, Constant) else torch.tensor(float(value))


def _pair(numbers: Sequence[int] | int) -> Pair:
    """Along rows and columns; one number stands for both."""
    if isinstance(numbers, int):
        return numbers, numbers
    return numbers[0], numbers[-1]


def _map_of(call: Call) -> Shape:
    """The shape of a call's result as a map."""
    channels, rows, cols = call.shape[-3:]
    return channels, rows, cols
