"""Layers that feed a layer: what its filters read, traced back to the layers that make it."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from pipeline.network.geometry import signal_inputs
from pipeline.network.graph import Graph, Layer
from pipeline.network.ops import Add, Cat, Conv, Linear

Kernels = Float[np.ndarray, "out in row col"]
INPUT = -1
"""Stands for the input where layers are numbered."""


@dataclass(frozen=True)
class Feed:
    """A layer whose channels another layer's filters read."""

    layer: str
    first: int
    """The input channel that is the layer's channel 0."""
    channels: int


def feeds_of(graph: Graph, name: str, wanted: Collection[str]) -> list[Feed]:
    """The wanted layers that feed the filters of a layer, with nothing that has weights between.

    A concatenation lays its inputs side by side, a sum on top of each other. Empty for a layer
    without filters.
    """
    source = graph.nodes[graph.layer(name).source]
    if not isinstance(source.op, Conv | Linear):
        return []
    ends = {graph.layer(layer).node: layer for layer in wanted}
    return _traced(graph, source.inputs[0], ends, first=0)


def _traced(graph: Graph, position: int, ends: dict[int, str], first: int) -> list[Feed]:
    """Feeds at or below a node whose channel 0 is the input channel `first`."""
    node = graph.nodes[position]
    if position in ends:
        return [Feed(ends[position], first, node.shape[0])]
    if isinstance(node.op, Conv | Linear):
        return []
    if not isinstance(node.op, Add | Cat):
        return _traced(graph, node.inputs[0], ends, first) if node.inputs else []
    found = []
    for feeding in node.inputs:
        found += _traced(graph, feeding, ends, first)
        first += graph.nodes[feeding].shape[0] if isinstance(node.op, Cat) else 0
    return found


def layer_feeds(graph: Graph) -> list[list[int]]:
    """By layer, the numbers of the layers whose signal it gets with no layer between."""
    number = {layer.source: at for at, layer in enumerate(graph.layer_list)}
    ends: list[list[int]] = []
    feeds: list[list[int]] = [[] for _ in number]
    for position, node in enumerate(graph.nodes):
        found = list(dict.fromkeys(end for below in signal_inputs(node) for end in ends[below]))
        if position in number:
            feeds[number[position]] = found
            found = [number[position]]
        ends.append(found if node.inputs else [INPUT])
    return feeds


def layer_kind(graph: Graph, layer: Layer) -> Literal["filters", "sum", "joined"]:
    """How a layer is made of what feeds it."""
    op = graph.nodes[layer.source].op
    return "sum" if isinstance(op, Add) else "joined" if isinstance(op, Cat) else "filters"


def full_kernels(
    graph: Graph, name: str, weights: Callable[[str], Float[np.ndarray, "..."]]
) -> Kernels:
    """A layer's filters over all channels below; what another group reads has weight 0.

    A fully connected layer's filters are as large as the map below.
    """
    source = graph.layer(name).source
    op, below = graph.nodes[source].op, graph.below(source)[0]
    assert isinstance(op, Conv | Linear)
    weight = weights(op.weight)
    if isinstance(op, Linear):
        cells = (1, 1) if op.per_cell else below[1:]
        return weight.reshape(len(weight), below[0], *cells)
    full = np.zeros((len(weight), below[0], *op.window.kernel), weight.dtype)
    outputs, inputs = len(weight) // op.groups, below[0] // op.groups
    for group in range(op.groups):
        out = slice(group * outputs, (group + 1) * outputs)
        full[out, group * inputs : (group + 1) * inputs] = weight[out]
    return full
