"""A graph with weights as a torch module, and the one way through a graph, node by node."""

from collections.abc import Callable, Collection, Iterator, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pipeline.network.functions import Maps, apply_op
from pipeline.network.graph import Graph
from pipeline.network.ops import BatchNorm

Step = Callable[[int, Sequence[Maps]], Maps]
"""The output of a node, by its position, of its inputs."""


class Network(nn.Module):
    """A graph with weights; its tensors are named as the graph names them (`conv1.weight`, …).

    All weights are 0 until they are set.
    """

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        self.graph = graph
        statistics = {
            name
            for node in graph.nodes
            if isinstance(node.op, BatchNorm)
            for name in (node.op.mean, node.op.variance)
        }
        for name, shape in graph.tensors.items():
            folder, _, own = name.rpartition(".")
            owner = _folder(self, folder)
            if name in statistics:
                owner.register_buffer(own, torch.zeros(shape))
            else:
                owner.register_parameter(own, nn.Parameter(torch.zeros(shape)))

    def forward(self, inputs: Maps) -> Float[Tensor, "image ..."]:
        """The output of normalised inputs; where it has one cell, class scores (image, class)."""
        output = self.run(inputs, [self.graph.output])[self.graph.output]
        return output.flatten(1) if output.shape[2:] == (1, 1) else output

    def activations(self, inputs: Maps, layers: Collection[str]) -> dict[str, Maps]:
        """Activations of the layers named; nothing is run that none of them needs."""
        nodes = {layer: self.graph.layer(layer).node for layer in layers}
        found = self.run(inputs, list(nodes.values()))
        return {layer: found[node] for layer, node in nodes.items()}

    def run(self, inputs: Maps, wanted: Collection[int]) -> dict[int, Maps]:
        """The outputs of some nodes."""
        steps = walk(self.graph, wanted, self.apply_node, inputs)
        return {node: signal for node, signal in steps if node in wanted}

    def apply_node(self, position: int, inputs: Sequence[Maps]) -> Maps:
        """The output of one node, of its inputs."""
        node = self.graph.nodes[position]
        names = node.op.tensors(node.shape, self.graph.below(position))
        tensors = {name: self.tensor(name) for name in names}
        return apply_op(node.op, inputs, node.shape[1:], tensors, training=self.training)

    def tensor(self, name: str) -> Float[Tensor, "..."]:
        """A weight or a statistic by its name."""
        folder, _, own = name.rpartition(".")
        found: Tensor = getattr(self.get_submodule(folder), own)
        return found


def walk(
    graph: Graph, wanted: Collection[int], step: Step, inputs: Maps
) -> Iterator[tuple[int, Maps]]:
    """The nodes that some wanted ones need, each with its output, in order.

    An output is let go of after its last use.
    """
    needed = sorted({node for end in wanted for node in graph.ancestors(end)})
    last = {feeding: node for node in needed for feeding in graph.nodes[node].inputs}
    held: dict[int, Maps] = {}
    for node in needed:
        feeding = graph.nodes[node].inputs
        held[node] = step(node, [held[below] for below in feeding]) if feeding else inputs
        yield node, held[node]
        for below in set(feeding):
            if last[below] == node:
                del held[below]


def _folder(module: nn.Module, path: str) -> nn.Module:
    """The submodule of a path, made where it is missing."""
    for name in filter(None, path.split(".")):
        if name not in module._modules:
            module.add_module(name, nn.Module())
        module = module.get_submodule(name)
    return module


@torch.no_grad()
def empty_network(graph: Graph) -> Network:
    """A network whose weights are described but not allocated (torch's meta device)."""
    with torch.device("meta"):
        return Network(graph)
