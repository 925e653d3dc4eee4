"""Layers that feed a layer with no layer between, and how a layer is made of them."""

from typing import Literal

from pipeline.network.geometry import signal_inputs
from pipeline.network.graph import Graph, Layer
from pipeline.network.ops import Add, Cat

INPUT = -1
"""Stands for the input where layers are numbered."""


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
