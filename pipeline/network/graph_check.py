"""Checks of a graph: order, shapes and windows, node by node."""

from collections.abc import Sequence
from math import isfinite
from typing import assert_never

from pipeline.network.graph import Graph
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
    Shape,
)
from pipeline.network.window import Window

LARGEST = 1 << 24
"""Of any size or channel number."""


def graph_fault(graph: Graph) -> str | None:
    """The first thing that is wrong with a graph, in words; None for a sound one."""
    if not graph.nodes or not 0 <= graph.output < len(graph.nodes):
        return "its output is not one of its nodes"
    for position, node in enumerate(graph.nodes):
        where = f"node {position} ({type(node.op).__name__}, {node.path!r})"
        if isinstance(node.op, Input) != (position == 0):
            return f"{where}: node 0, and no other, is the input"
        if not all(0 <= feeding < position for feeding in node.inputs):
            return f"{where}: it reads a node that does not come before it"
        if not all(0 < size <= LARGEST for size in node.shape):
            return f"{where}: its shape is {node.shape}"
        if fault := op_fault(node.op, node.shape, graph.below(position)):
            return f"{where}: {fault}"
    try:
        clashes = _name_clashes(graph)
    except (ValueError, ZeroDivisionError) as error:
        return str(error)
    return f"the weight {clashes[0]!r} has two shapes" if clashes else None


def _name_clashes(graph: Graph) -> list[str]:
    clashes = []
    for position, node in enumerate(graph.nodes):
        for name, shape in node.op.tensors(node.shape, graph.below(position)).items():
            if graph.tensors[name] != shape:
                clashes.append(name)
    return clashes


def op_fault(op: Op, above: Shape, below: Sequence[Shape]) -> str | None:
    """What is wrong with an operation between maps of these shapes; None where nothing is."""
    if isinstance(op, Add | Cat):
        return None if len(below) > 1 and _joins(op, above, below) else _misfit(above, below)
    if isinstance(op, Mul):
        return None if len(below) == 2 and _gates(above, below) else _misfit(above, below)
    if isinstance(op, Input):
        return "the input reads another node" if below else None
    if len(below) != 1:
        return f"it reads {len(below)} nodes, not one"
    return _one_input_fault(op, above, below[0])


def _one_input_fault(op: Op, above: Shape, below: Shape) -> str | None:
    same_cells, same = above[1:] == below[1:], above == below
    match op:
        case Conv():
            if op.groups < 1 or above[0] % op.groups or below[0] % op.groups:
                return f"{below[0]} to {above[0]} channels do not divide into {op.groups} groups"
            return _window_fault(op.window, above, below)
        case MaxPool() | MeanPool():
            fits = above[0] == below[0]
            inside = fits and _window_fault(op.window, above, below, overlaps=True)
            return _misfit(above, [below]) if not fits else inside or None
        case Linear():
            fits = same_cells if op.per_cell else above[1:] == (1, 1)
        case MapNorm():
            fits = same and op.groups > 0 and above[0] % op.groups == 0
        case LocalResponseNorm():
            numbers = (op.alpha, op.beta, op.k)
            fits = same and op.channels > 0 and all(map(isfinite, numbers)) and op.k > 0
        case Select():
            fits = same_cells and len(op.channels) == above[0]
            fits = fits and all(0 <= channel < below[0] for channel in op.channels)
        case Resample():
            fits = above[0] == below[0] and _grows(op, above, below)
        case Pad():
            after = (above[1] - below[1] - op.before[0], above[2] - below[2] - op.before[1])
            fits = above[0] == below[0] and isfinite(op.value)
            fits = fits and all(
                -size < border <= LARGEST
                for size, border in zip(below[1:] * 2, (*op.before, *after), strict=True)
            )
        case BatchNorm() | Scale() | ChannelNorm() | Curve() | Dropout():
            fits = same
        case Input() | Add() | Cat() | Mul():
            fits = False
        case _:
            assert_never(op)
    return None if fits else _misfit(above, [below])


def _window_fault(
    window: Window, above: Shape, below: Shape, *, overlaps: bool = False
) -> str | None:
    """A window's numbers are sound; with `overlaps`, each window holds a cell of the map."""
    positive = (*window.kernel, *window.stride, *window.dilation)
    if not all(0 < number <= LARGEST for number in positive):
        return f"its window is {window}"
    after = window.after(below[1:], above[1:])
    for axis, (first, last) in enumerate(zip(window.before, after, strict=True)):
        limit = window.kernel[axis] * window.dilation[axis] if overlaps else LARGEST
        if not (0 <= first < limit and -window.stride[axis] < last < limit):
            return f"a window of {window} does not give {above[1:]} cells of {below[1:]}"
    return None


def _joins(op: Add | Cat, above: Shape, below: Sequence[Shape]) -> bool:
    if isinstance(op, Add):
        return all(shape == above for shape in below)
    cells = all(shape[1:] == above[1:] for shape in below)
    return cells and sum(shape[0] for shape in below) == above[0]


def _gates(above: Shape, below: Sequence[Shape]) -> bool:
    signal, gate = below
    return signal == above and gate[0] in (above[0], 1) and gate[1:] in (above[1:], (1, 1))


def _grows(op: Resample, above: Shape, below: Shape) -> bool:
    """Whether a factor, where there is one, gives so many cells."""
    if op.factor is None:
        return True
    grown = zip(op.factor, below[1:], above[1:], strict=True)
    return op.kind != "mean" and all(
        cells <= size * factor < cells + 1 for factor, size, cells in grown
    )


def _misfit(above: Shape, below: Sequence[Shape]) -> str:
    return f"it cannot make a map of {above} out of {', '.join(map(str, below))}"
