"""Small networks with drawn weights, for the figures' tests."""

import torch

from pipeline.network.architectures import Variant, build_chain
from pipeline.network.graph import Graph, Node
from pipeline.network.module import Network, empty_network
from pipeline.network.ops import (
    Add,
    Cat,
    Conv,
    Curve,
    Input,
    Linear,
    MaxPool,
    MeanPool,
    Resample,
    square,
)


def drawn(graph: Graph, seed: int = 0) -> Network:
    """A network with He's weights and small biases."""
    network = empty_network(graph).to_empty(device="cpu").eval().requires_grad_(False)
    rng = torch.Generator().manual_seed(seed)
    for weights in network.state_dict().values():
        gain = (2 / weights[0].numel()) ** 0.5 if weights.ndim > 1 else 0.1
        weights.copy_(torch.randn(weights.shape, generator=rng) * gain)
    return network


def small(arch: str, input_px: int) -> Network:
    """One of the paper's networks at a tenth of its width."""
    return drawn(build_chain(arch, 7, input_px, Variant(0.1, {}, 256, (), 0.0)))


def joined() -> Network:
    """A network with a sum, a concatenation, a mean pool, dilation and a global mean."""
    wide = square(3, padding=1)
    nodes = (
        Node(Input(), (), (3, 40, 36)),
        Node(Conv(square(5, 2, 2), "a.weight", "a.bias"), (0,), (8, 20, 18), "a"),
        Node(Curve("relu"), (1,), (8, 20, 18), "a"),
        Node(Conv(wide, "b.weight"), (2,), (8, 20, 18), "b"),
        Node(Add(), (2, 3), (8, 20, 18), "sum"),
        Node(Conv(square(1), "c.weight"), (4,), (4, 20, 18), "c"),
        Node(MaxPool(wide), (4,), (8, 20, 18), "pool"),
        Node(Cat(), (5, 6), (12, 20, 18), "cat"),
        Node(MeanPool(square(2, 2)), (7,), (12, 10, 9), "mean"),
        Node(Conv(wide, "d.weight"), (8,), (6, 10, 9), "d"),
        Node(Resample("mean"), (9,), (6, 1, 1), "global"),
        Node(Linear("e.weight", "e.bias"), (10,), (5, 1, 1), "e"),
    )
    return drawn(Graph(nodes, 11))
