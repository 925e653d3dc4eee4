"""The forward pass of training: the graph's, with a fast norm and given dropout."""

from collections.abc import Callable, Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pipeline.network.functions import Maps
from pipeline.network.graph import Graph
from pipeline.network.lrn import local_response_norm
from pipeline.network.module import Network, walk
from pipeline.network.ops import Dropout, LocalResponseNorm

Inputs = Float[Tensor, "image 3 row col"]
Scores = Float[Tensor, "image class"]
Masks = Mapping[int, Float[Tensor, "image feature"]]
"""For each dropout, by its node: 0 where a feature is dropped, else the factor
that makes up for those."""


class TrainingForward(nn.Module):
    """A network as it is trained and validated; it holds no weights but the network's."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, inputs: Inputs, masks: Masks | None = None) -> Scores:
        """Class scores; without masks nothing is dropped."""
        return self._run(inputs, masks or {}, _ignore)

    def scores_and_peaks(
        self, inputs: Inputs
    ) -> tuple[Scores, dict[str, Float[Tensor, " channel"]]]:
        """Class scores, and each conv channel's largest activation over the batch."""
        graph = self.network.graph
        layers = {graph.layer(layer).node: layer for layer in graph.conv_layers}
        peaks = {}

        def observe(position: int, signal: Tensor) -> None:
            if position in layers:
                peaks[layers[position]] = signal.amax(dim=(0, 2, 3)).float()

        return self._run(inputs, {}, observe), peaks

    def _run(self, inputs: Inputs, masks: Masks, observe: Callable[[int, Tensor], None]) -> Scores:
        graph = self.network.graph

        def step(position: int, below: Sequence[Maps]) -> Maps:
            op = graph.nodes[position].op
            if isinstance(op, LocalResponseNorm):
                return local_response_norm(op, below[0])
            if isinstance(op, Dropout):
                mask = masks.get(position)
                return below[0] if mask is None else below[0] * mask[:, :, None, None]
            return self.network.apply_node(position, below)

        signal = inputs
        for position, signal in walk(graph, [graph.output], step, inputs):
            observe(position, signal)
        return signal.flatten(1)


def _ignore(position: int, signal: Tensor) -> None:
    """Look at nothing."""


def draw_masks(graph: Graph, count: int, share: slice, generator: torch.Generator) -> Masks:
    """Dropout masks of a share of a batch of `count` images, on the generator's device.

    They are drawn for the whole batch, so that they do not depend on how it is shared out.
    """
    masks = {}
    for position, node in enumerate(graph.nodes):
        if isinstance(node.op, Dropout) and node.op.probability > 0:
            shape = count, node.shape[0]
            uniform = torch.rand(shape, generator=generator, device=generator.device)
            kept = (uniform[share] >= node.op.probability).float()
            rest = 1 - node.op.probability
            masks[position] = kept / rest if rest > 0 else kept
    return masks
