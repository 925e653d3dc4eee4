"""The slow reference: a whole image, op by op, in double precision, reversed by autograd.

Its forward pass, its pools and its gradients are its own: it shares the description of the network
with the code that it checks, and no more.
"""

from collections.abc import Collection, Mapping

import torch
from jaxtyping import Float64, Shaped
from torch import Tensor

from pipeline.network.graph import Graph
from pipeline.network.ops import Curve, MaxPool
from pipeline.verify.curves import CURVES, Rule
from pipeline.verify.formulas import apply_node, chosen_maxima, pool_windows
from pipeline.verify.ties import Curved

Choices = Mapping[int, Shaped[Tensor, "_ _ _"]]
"""By the node of a pool (channel, row, col): which value of a cell's window, row by row, counts
as its maximum. By the node of an activation function: its slopes on the way down."""


class ReferencePass:
    """One image's pass up through a network, down which any number of signals pass."""

    def __init__(
        self,
        reference: "Reference",
        image: Float64[Tensor, "_ row col"],
        layers: Collection[str],
        choices: Choices,
    ) -> None:
        self._reference = reference
        self._rule = Rule()
        self._windows: dict[int, Tensor] = {}
        self._curved: dict[int, Curved] = {}
        self._nodes = {layer: reference.graph.layer(layer).node for layer in layers}
        with torch.enable_grad():
            self._pixels = image[None].clone().requires_grad_()
            self._signals = self._pass_up(choices)

    def _pass_up(self, choices: Choices) -> dict[int, Tensor]:
        """The outputs of the layers' nodes and of all that they depend on."""
        graph, signals = self._reference.graph, {0: self._pixels}
        needed = {at for end in self._nodes.values() for at in graph.ancestors(end)}
        for at in sorted(needed - {0}):
            node = graph.nodes[at]
            inputs = [signals[feeding] for feeding in node.inputs]
            if isinstance(node.op, MaxPool):
                self._windows[at] = pool_windows(node, inputs[0])
                signals[at] = chosen_maxima(self._windows[at], choices.get(at))
            else:
                if isinstance(node.op, Curve):
                    curve = CURVES[node.op.kind](node.op.slope)
                    self._curved[at] = Curved(curve, inputs[0].detach()[0])
                weights, slope = self._reference.weights, choices.get(at)
                signals[at] = apply_node(node, inputs, weights, self._rule, slope)
        return signals

    def maps(self, layer: str) -> Float64[Tensor, "channel _ _"]:
        """A layer's activations; 1 × 1 cells in a fully connected layer."""
        return self._signals[self._nodes[layer]].detach()[0]

    def windows(self, pool: int) -> Float64[Tensor, "channel _ _ value"]:
        """The values that each maximum of a pool's node was taken of; −∞ off the map."""
        return self._windows[pool].detach()[0]

    def curved(self, node: int) -> Curved | None:
        """The activation function of a node and its values; None for another node."""
        return self._curved.get(node)

    def project(
        self, layer: str, unit: tuple[int, int, int], start: float
    ) -> Float64[Tensor, "pixel_row pixel_col _"]:
        """Pass `start` down from a unit (channel, row, col) to the pixels of the whole image.

        The signal starts below the layer's own activation function.
        """
        node = self._nodes[layer]
        own = self._reference.graph.nodes[node]
        seed = own.inputs[0] if isinstance(own.op, Curve) else node
        self._rule.method = self._reference.methods.get(layer, "deconvnet")
        # Times the activation: a gradient handed in would make torch import its symbolic shapes.
        scaled = start * self._signals[seed][0][unit]
        (below,) = torch.autograd.grad(scaled, self._pixels, retain_graph=True)
        return below[0].permute(1, 2, 0)


class Reference:
    """A network's weights in double precision."""

    def __init__(
        self,
        graph: Graph,
        weights: Mapping[str, Tensor],
        methods: Mapping[str, str] | None = None,
    ) -> None:
        """`methods` says of layers how they were projected; the others by the deconvnet."""
        self.graph = graph
        self.methods = methods or {}
        self.weights = {name: values.detach().double().cpu() for name, values in weights.items()}

    def __call__(
        self,
        image: Float64[Tensor, "_ row col"],
        layers: Collection[str],
        choices: Choices | None = None,
    ) -> ReferencePass:
        """Pass an image up to some layers.

        Where `choices` names a pool, its choices stand for the maxima; else the first of equal
        values is the maximum. So do its slopes for those of an activation function.
        """
        return ReferencePass(self, image, layers, choices or {})
