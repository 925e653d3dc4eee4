"""Where the signals of a layer's units start."""

from dataclasses import dataclass

from pipeline.network.module import Network
from pipeline.network.ops import Cat, Scale


@dataclass(frozen=True)
class Start:
    """The node that a unit's signal starts from, below scales and concatenations."""

    node: int
    channel: int
    """The unit's channel there."""
    factor: float
    """By which the scales on the way multiply the signal."""


def start_of(network: Network, seed: int, channel: int) -> Start:
    """The start of a channel's units of the node `seed`.

    A unit of a concatenation is one of the node that its channel comes from, and no other branch
    takes part in its signal.
    """
    at, factor, graph = seed, 1.0, network.graph
    while True:
        node = graph.nodes[at]
        match node.op:
            case Scale():
                if node.op.factor is not None:
                    factor *= float(network.tensor(node.op.factor)[channel])
                at = node.inputs[0]
            case Cat():
                for at in node.inputs:
                    if channel < graph.nodes[at].shape[0]:
                        break
                    channel -= graph.nodes[at].shape[0]
            case _:
                return Start(at, channel, factor)
