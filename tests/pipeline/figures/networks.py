"""Small networks with drawn weights, for the figures' tests."""

import torch

from pipeline.network.architectures import Variant, build_chain
from pipeline.network.graph import Graph
from pipeline.network.module import Network, empty_network


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
