"""Filters through which layers feed a layer, traced down through sums and concatenations."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Float32, Int64

from pipeline.network.geometry import signal_inputs
from pipeline.network.graph import Graph, Node
from pipeline.network.ops import (
    BatchNorm,
    Cat,
    ChannelNorm,
    Conv,
    Linear,
    MapNorm,
    Op,
    Scale,
    Select,
    Shape,
)
from pipeline.network.window import Pair

Kernels = Float32[np.ndarray, "above below row col"]
Tensors = Callable[[str], Float[np.ndarray, "..."]]
"""The weights of a network by name."""


@dataclass(frozen=True)
class Identities:
    """A way without filters: one channel reaches another as it is, but for a factor."""

    above: Int64[np.ndarray, " connection"]
    below: Int64[np.ndarray, " connection"]
    factor: Float32[np.ndarray, " connection"]

    def times(self, factor: Float32[np.ndarray, " below"]) -> "Identities":
        """The same of a map whose channels are multiplied on the way."""
        return replace(self, factor=self.factor * factor[self.below])

    def part(self, first: int, channels: int) -> "Identities":
        """What comes from some consecutive channels, which are numbered from 0."""
        of = (self.below >= first) & (self.below < first + channels)
        return Identities(self.above[of], self.below[of] - first, self.factor[of])

    def selected(self, channels: Int64[np.ndarray, " selected"], every: int) -> "Identities":
        """The same of the map that channels were selected from."""
        return replace(self, below=channels[self.below])


@dataclass(frozen=True)
class Filters:
    """A way through one layer of filters."""

    kernels: Kernels
    origin: Pair
    """The tap that reads the cell that it is computed for."""

    @property
    def after(self) -> Pair:
        """The taps from the origin on."""
        rows, cols = self.kernels.shape[2:]
        return rows - self.origin[0], cols - self.origin[1]

    def times(self, factor: Float32[np.ndarray, " below"]) -> "Filters":
        """The same of a map whose channels are multiplied on the way."""
        return replace(self, kernels=self.kernels * factor[:, None, None])

    def part(self, first: int, channels: int) -> "Filters":
        """What reads some consecutive channels."""
        return replace(self, kernels=self.kernels[:, first : first + channels])

    def selected(self, channels: Int64[np.ndarray, " selected"], every: int) -> "Filters":
        """The same of the map of `every` channels that channels were selected from."""
        above, _, rows, cols = self.kernels.shape
        spread = np.zeros((above, every, rows, cols), np.float32)
        np.add.at(spread.swapaxes(0, 1), channels, self.kernels.swapaxes(0, 1))
        return replace(self, kernels=spread)


Way = Identities | Filters


def feeding_kernels(
    graph: Graph, tensors: Tensors, name: str, wanted: Sequence[str]
) -> dict[str, Kernels]:
    """By wanted layer that feeds a layer, the filters through which it does, all ways summed.

    A way leads from the layer down to the first wanted layer and passes at most one layer of
    filters, the layer's own or that of a branch of a sum; one that passes none is a filter of one
    tap from a channel to the same. Factors of norms are folded in, curves and pools passed over.
    """
    layer = graph.layer(name)
    ends = {graph.layer(one).node: one for one in wanted if one != name}
    every = np.arange(layer.channels)
    ways: defaultdict[int, list[Way]] = defaultdict(list)
    ways[layer.node].append(Identities(every, every, np.ones(layer.channels, np.float32)))
    found: dict[str, Kernels] = {}
    for position in reversed(graph.ancestors(layer.node)):
        arriving = _gathered(ways.pop(position, []))
        if position in ends and arriving:
            below = graph.nodes[position].shape[0]
            found[ends[position]] = _summed(arriving, layer.channels, below)
            continue
        for way in arriving:
            for feeding, further in _below(graph, tensors, position, way, layer.channels):
                ways[feeding].append(further)
    return {one: found[one] for one in wanted if one in found}


def _below(
    graph: Graph, tensors: Tensors, position: int, way: Way, above: int
) -> Iterator[tuple[int, Way]]:
    """A way continued to each node that feeds the one where it is; none past a second filter."""
    node, shapes = graph.nodes[position], graph.below(position)
    match node.op:
        case Conv() | Linear():
            if isinstance(way, Identities):
                yield node.inputs[0], _filtered(node, tensors, way, above, shapes[0])
        case Cat():
            first = 0
            for feeding, (channels, *_) in zip(node.inputs, shapes, strict=True):
                yield feeding, way.part(first, channels)
                first += channels
        case Select():
            selected = np.array(node.op.channels)
            yield node.inputs[0], way.selected(selected, shapes[0][0])
        case BatchNorm() | Scale() | ChannelNorm() | MapNorm():
            factor = _factor(node.op, tensors)
            yield node.inputs[0], way if factor is None else way.times(factor)
        case _:
            yield from ((feeding, way) for feeding in signal_inputs(node))


def _factor(op: Op, tensors: Tensors) -> Float32[np.ndarray, " channel"] | None:
    """What a norm or scale multiplies each channel by, whatever the image; None for nothing."""
    match op:
        case BatchNorm():
            variance = tensors(op.variance).astype(np.float64)
            weight = 1.0 if op.weight is None else tensors(op.weight)
            found: Float32[np.ndarray, " channel"] = (
                weight / np.sqrt(variance + op.epsilon)
            ).astype(np.float32)
            return found
        case Scale(factor=name) | ChannelNorm(weight=name) | MapNorm(weight=name):
            return None if name is None else tensors(name).astype(np.float32)
        case _:
            return None


def _filtered(node: Node, tensors: Tensors, units: Identities, above: int, below: Shape) -> Filters:
    """A way without filters that goes on through a node's."""
    op = node.op
    assert isinstance(op, Conv | Linear)
    full = full_kernels(op, below, tensors(op.weight).astype(np.float32))
    kernels = np.zeros((above, *full.shape[1:]), np.float32)
    np.add.at(kernels, units.above, full[units.below] * units.factor[:, None, None, None])
    if isinstance(op, Linear):
        return Filters(kernels, (0, 0))
    (top, left), (rows, cols) = op.window.before, op.window.dilation
    return Filters(kernels, (top // rows, left // cols))


def full_kernels(op: Conv | Linear, below: Shape, weight: Float32[np.ndarray, "..."]) -> Kernels:
    """An operation's filters over all channels below; what another group reads has weight 0.

    Those of a fully connected layer are as large as the map below.
    """
    if isinstance(op, Linear):
        cells = (1, 1) if op.per_cell else below[1:]
        return weight.reshape(len(weight), below[0], *cells)
    full = np.zeros((len(weight), below[0], *op.window.kernel), np.float32)
    outputs, inputs = len(weight) // op.groups, below[0] // op.groups
    for group in range(op.groups):
        out = slice(group * outputs, (group + 1) * outputs)
        full[out, group * inputs : (group + 1) * inputs] = weight[out]
    return full


def _gathered(ways: Collection[Way]) -> list[Way]:
    """The same ways with all that have no filters as one, and all of equal filters' size as one."""
    units = [way for way in ways if isinstance(way, Identities)]
    filters: dict[tuple[Pair, tuple[int, ...]], Filters] = {}
    for way in ways:
        if isinstance(way, Filters):
            key = way.origin, way.kernels.shape
            known = filters.get(key)
            kernels = way.kernels if known is None else known.kernels + way.kernels
            filters[key] = replace(way, kernels=kernels)
    return [*([_united(units)] if units else []), *filters.values()]


def _united(units: Sequence[Identities]) -> Identities:
    """Several ways without filters as one, in which no two connections are of the same channels."""
    if len(units) == 1:
        return units[0]
    pairs = np.concatenate([np.stack([one.above, one.below]) for one in units], axis=1)
    distinct, place = np.unique(pairs, axis=1, return_inverse=True)
    factor = np.zeros(distinct.shape[1], np.float32)
    np.add.at(factor, place.ravel(), np.concatenate([one.factor for one in units]))
    return Identities(distinct[0], distinct[1], factor)


def _summed(ways: Sequence[Way], above: int, below: int) -> Kernels:
    """All ways as filters, laid on each other where they read the same cell."""
    filters = [_as_filters(way, above, below) for way in ways]
    if len(filters) == 1:
        return filters[0].kernels
    before, after = (
        [max(sizes) for sizes in zip(*ends, strict=True)]
        for ends in ([one.origin for one in filters], [one.after for one in filters])
    )
    total = np.zeros((above, below, before[0] + after[0], before[1] + after[1]), np.float32)
    for one in filters:
        row, col = before[0] - one.origin[0], before[1] - one.origin[1]
        rows, cols = one.kernels.shape[2:]
        total[:, :, row : row + rows, col : col + cols] += one.kernels
    return total


def _as_filters(way: Way, above: int, below: int) -> Filters:
    if isinstance(way, Filters):
        return way
    kernels = np.zeros((above, below, 1, 1), np.float32)
    kernels[way.above, way.below, 0, 0] = way.factor
    return Filters(kernels, (0, 0))
