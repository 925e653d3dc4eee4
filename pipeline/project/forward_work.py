"""The work of the forward pass that finds switches: of a whole image, and of one unit's window."""

from collections.abc import Collection
from math import prod

from pipeline.network.geometry import seed_of, windows
from pipeline.network.graph import Graph
from pipeline.network.ops import Conv, MapNorm, Mul, Resample
from pipeline.network.window import Pair


def whole_macs(graph: Graph, nodes: Collection[int]) -> int:
    """Multiply-adds of the forward pass over a whole image for the switches of some nodes."""
    return sum(_macs(graph, at, graph.nodes[at].shape[1:]) for at in convs_below(graph, nodes))


def window_macs(graph: Graph, layer: str, nodes: Collection[int]) -> int:
    """Multiply-adds of the forward pass over one unit's window that finds its switches."""
    found = windows(graph, seed_of(graph, layer))
    convs = [at for at in convs_below(graph, nodes) if at in found]
    return sum(_macs(graph, at, (found[at][0].size, found[at][1].size)) for at in convs)


def convs_below(graph: Graph, nodes: Collection[int]) -> list[int]:
    """The convolutions that some nodes' outputs depend on, in the order of the graph."""
    needed = {at for node in nodes for at in graph.ancestors(node)}
    return [at for at in sorted(needed) if isinstance(graph.nodes[at].op, Conv)]


def _macs(graph: Graph, at: int, cells: Pair) -> int:
    op = graph.nodes[at].op
    assert isinstance(op, Conv)
    return prod(cells) * prod(graph.tensors[op.weight])


def needs_whole_image(graph: Graph, layer: str, nodes: Collection[int]) -> bool:
    """Whether a layer's switches cannot be found on the window of a unit alone."""
    found = windows(graph, seed_of(graph, layer))
    if any(axis.whole for axis in found[0]):
        return True
    ops = (graph.nodes[at].op for node in nodes for at in graph.ancestors(node))
    return any(isinstance(op, Mul | MapNorm | Resample) for op in ops)
