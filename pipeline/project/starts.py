"""Where the signals of a layer's units start."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from pipeline.network.module import Network
from pipeline.network.ops import Cat, Scale


@dataclass(frozen=True)
class Starts:
    """By channel of a node, where its units' signals start, below scales and concatenations."""

    node: Int64[np.ndarray, " channel"]
    channel: Int64[np.ndarray, " channel"]
    """The unit's channel of that node."""
    factor: Float64[np.ndarray, " channel"]
    """By which the scales on the way multiply the signal."""


def starts_of(network: Network, seed: int) -> Starts | None:
    """The starts of all channels of the node `seed`; None where each is the channel itself.

    A unit of a concatenation is one of the node that its channel comes from, and no other branch
    takes part in its signal.
    """
    graph = network.graph
    if not isinstance(graph.nodes[seed].op, Scale | Cat):
        return None
    found = [_start(network, seed, channel) for channel in range(graph.nodes[seed].shape[0])]
    node, channel, factor = zip(*found, strict=True)
    return Starts(np.array(node), np.array(channel), np.array(factor))


def _start(network: Network, at: int, channel: int) -> tuple[int, int, float]:
    factor, graph = 1.0, network.graph
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
                return at, channel, factor
