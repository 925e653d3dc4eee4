"""Batch norms folded into the convolutions that they follow, when a network is loaded to run."""

from dataclasses import replace

import torch
from jaxtyping import Float64
from torch import Tensor

from pipeline.network.graph import Graph, Node
from pipeline.network.module import Network
from pipeline.network.ops import BatchNorm, Conv, Linear, Scale

Channels = Float64[Tensor, " channel"]


@torch.no_grad()
def folded(network: Network) -> Network:
    """The same function without batch norms; nodes keep their positions, layers their names.

    A norm that alone follows a convolution goes into its weights, in double precision; another
    becomes a factor and a shift by channel. It never goes into a convolution above it, whose
    padding would then carry the shift.
    """
    graph = network.graph
    if not any(isinstance(node.op, BatchNorm | Scale) for node in graph.nodes):
        return network
    nodes, tensors = list(graph.nodes), dict(network.state_dict())
    dtype = next(iter(tensors.values())).dtype
    for position, node in enumerate(graph.nodes):
        if isinstance(node.op, BatchNorm | Scale):
            factor, shift = _linear_part(network, node)
            source = node.inputs[0]
            op = nodes[source].op
            alone = graph.users[source] == (position,) and source != graph.output
            if alone and isinstance(op, Conv | Linear):
                nodes[source] = _absorbed(nodes[source], source, factor, shift, tensors)
                nodes[position] = replace(node, op=Scale(None, None))
            else:
                names = f"factor_at_{position}", f"shift_at_{position}"
                tensors |= dict(zip(names, (factor.to(dtype), shift.to(dtype)), strict=True))
                nodes[position] = replace(node, op=Scale(*names))
    made = Graph(tuple(nodes), graph.output)
    with torch.device("meta"):
        result = Network(made)
    result.load_state_dict({name: tensors[name] for name in made.tensors}, assign=True)
    return result.eval().requires_grad_(False)


def _linear_part(network: Network, node: Node) -> tuple[Channels, Channels]:
    """The factor and the shift of a norm or scale, by channel."""

    def given(name: str | None, otherwise: float) -> Channels:
        if name is None:
            return torch.full((node.shape[0],), otherwise, dtype=torch.float64)
        return network.tensor(name).double()

    op = node.op
    if isinstance(op, Scale):
        return given(op.factor, 1.0), given(op.shift, 0.0)
    assert isinstance(op, BatchNorm)
    factor = given(op.weight, 1.0) / (given(op.variance, 1.0) + op.epsilon).sqrt()
    return factor, given(op.bias, 0.0) - given(op.mean, 0.0) * factor


def _absorbed(
    node: Node, position: int, factor: Channels, shift: Channels, tensors: dict[str, Tensor]
) -> Node:
    """A convolution or linear layer that scales and shifts its own output."""
    op = node.op
    assert isinstance(op, Conv | Linear)
    weight = tensors[op.weight]
    wide = factor.reshape(-1, *[1] * (weight.ndim - 1))
    bias = shift if op.bias is None else tensors[op.bias].double() * factor + shift
    # A module may be called twice, with another norm each time: names go by position.
    names = f"weight_at_{position}", f"bias_at_{position}"
    tensors[names[0]] = (weight.double() * wide).to(weight.dtype)
    tensors[names[1]] = bias.to(weight.dtype)
    return replace(node, op=replace(op, weight=names[0], bias=names[1]))
