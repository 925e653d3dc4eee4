"""Rules for what changes the number of cells: pools, means, enlargement, borders."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch

from pipeline.adopt.arrangement import Arrangement
from pipeline.adopt.reading import Reading, Value
from pipeline.adopt.rules.registry import as_pair, map_shape, rule
from pipeline.adopt.trace import Call, UnreadableError
from pipeline.network.ops import MaxPool, MeanPool, Op, Pad, Resample, Shape
from pipeline.network.window import Pair, Window


@rule("max_pool2d")
def _max_pool(reading: Reading, call: Call, args: list[Any]) -> Value:
    tensor, kernel, stride, padding, dilation, _ = args
    node, border = without_border(reading, reading.position(tensor, call), -math.inf)
    before = as_pair(padding)
    window = Window(
        as_pair(kernel),
        as_pair(stride or kernel),
        (before[0] + border[0], before[1] + border[1]),
        as_pair(dilation),
    )
    return reading.add(MaxPool(window), [node], map_shape(call), call.path)


@rule("max_pool2d_with_indices")
def _max_pool_with_places(reading: Reading, call: Call, args: list[Any]) -> Value:
    return [_max_pool(reading, _of_maxima(call, args), args)]


def _of_maxima(call: Call, args: list[Any]) -> Call:
    """A call that gives maxima and their places, with the shape of the maxima."""
    maxima, _ = call.compute([torch.zeros(args[0].shape), *args[1:]])
    return replace(call, shape=tuple(maxima.shape))


@rule("adaptive_max_pool2d")
def _adaptive_max_pool(reading: Reading, call: Call, args: list[Any]) -> Value:
    tensor = reading.as_map(args[0], call)
    window = _even_window(tensor.map, as_pair(args[1]))
    if window is None:
        raise UnreadableError(f"{call.place} from {tensor.map[1:]} to {args[1]} uneven windows.")
    shape = (tensor.map[0], *as_pair(args[1]))
    return [reading.add(MaxPool(window), [tensor.node], shape, call.path)]


@rule("amax")
def _amax(reading: Reading, call: Call, args: list[Any]) -> Value:
    tensor, window = _window_over(reading, call, args[0], args[1])
    return _pooled(reading, call, tensor, MaxPool(window))


@rule("max.dim")
def _max_along(reading: Reading, call: Call, args: list[Any]) -> Value:
    tensor, window = _window_over(reading, call, args[0], [args[1]])
    return [_pooled(reading, _of_maxima(call, args), tensor, MaxPool(window))]


@rule("avg_pool2d")
def _avg_pool(reading: Reading, call: Call, args: list[Any]) -> Value:
    tensor, kernel, stride, padding, _, counts_padding, divisor = args
    window = Window(as_pair(kernel), as_pair(stride or kernel), as_pair(padding))
    op = MeanPool(window, counts_padding, divisor)
    return reading.add(op, [reading.position(tensor, call)], map_shape(call), call.path)


@rule("adaptive_avg_pool2d")
def _adaptive_avg_pool(reading: Reading, call: Call, args: list[Any]) -> Value:
    tensor, shape = reading.as_map(args[0], call), map_shape(call)
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
    tensor, window = _window_over(reading, call, args[0], args[1])
    whole = window.kernel == tensor.map[1:]
    return _pooled(reading, call, tensor, Resample("mean") if whole else MeanPool(window))


def _pooled(
    reading: Reading, call: Call, tensor: Arrangement, op: MaxPool | MeanPool | Resample
) -> Arrangement:
    """A map of which rows, columns or both become one."""
    kernel = tensor.map[1:] if isinstance(op, Resample) else op.window.kernel
    rows, cols = (size // of for size, of in zip(tensor.map[1:], kernel, strict=True))
    shape = (tensor.map[0], rows, cols)
    return reading.add(op, [tensor.node], shape, call.path).as_shape(call.shape)


def _window_over(
    reading: Reading, call: Call, tensor: Arrangement, dims: Sequence[int]
) -> tuple[Arrangement, Window]:
    """A map, and the window whose cells a tensor's dimensions `dims` are: all, a row, a column."""
    tensor = reading.whole(tensor, call)
    if are_cells(tensor, dims):
        return tensor, Window(tensor.map[1:])
    along = {dim % len(tensor.shape) for dim in dims}
    if tensor.order is None and tensor.shape == (1, *tensor.map) and along <= {2, 3}:
        rows, cols = (size if 2 + axis in along else 1 for axis, size in enumerate(tensor.map[1:]))
        return tensor, Window((rows, cols))
    raise UnreadableError(f"{call.place} over something else than all cells of a map.")


def are_cells(tensor: Arrangement, dims: Sequence[int]) -> bool:
    """Whether some dimensions of a tensor are the rows and columns of its whole map."""
    last = [dim % len(tensor.shape) for dim in dims]
    kept = [dim for dim in range(len(tensor.shape)) if dim not in last]
    cells = tensor.cells.permute(*kept, *last).flatten()
    return math.prod(tensor.shape[dim] for dim in last) == math.prod(tensor.map[1:]) and bool(
        cells.equal(torch.arange(math.prod(tensor.map)))
    )


@rule("upsample_nearest2d.vec", "_upsample_nearest_exact2d.vec", "upsample_bilinear2d.vec")
def _upsample(reading: Reading, call: Call, args: list[Any]) -> Value:
    tensor, shape = reading.as_map(args[0], call), map_shape(call)
    factor = None if args[-1] is None else (float(args[-1][0]), float(args[-1][-1]))
    if factor and all(tensor.map[1 + axis] * factor[axis] == shape[1 + axis] for axis in (0, 1)):
        factor = None  # it is the ratio of the sizes
    if call.op == "upsample_nearest2d.vec":
        op = Resample("nearest", factor)
    elif call.op == "_upsample_nearest_exact2d.vec":
        op = Resample("nearest_exact", factor)
    else:
        op = Resample("linear_corners") if args[2] else Resample("linear", factor)
    return reading.add(op, [tensor.node], shape, call.path)


@rule("pad", "constant_pad_nd")
def _pad(reading: Reading, call: Call, args: list[Any]) -> Value:
    tensor, borders = args[:2]
    mode, value = ("constant", args[2]) if call.op == "constant_pad_nd" else args[2:]
    if mode != "constant" or len(borders) > 4 or len(tensor.shape) != 4:
        raise UnreadableError(f"{call.place} with mode {mode!r}, or along other axes than a map's.")
    left, _, above = (*borders, 0, 0)[:3]
    op = Pad((above, left), float(value or 0.0))
    return reading.add(op, [reading.position(tensor, call)], map_shape(call), call.path)


def without_border(reading: Reading, node: int, value: float) -> tuple[int, Pair]:
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
