"""The penalty on what is left of the random start in the conv filters."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.network.module import Network
from pipeline.training.init import conv_weights


class StartDecay:
    """A penalty on the part of each conv filter that is still its start, above the first layer.

    It is half of `decay` times the square of the filter's component along its start. Unlike weight
    decay it leaves alone what the gradient has built, so filters fade into what they have learnt
    and do not die.
    """

    def __init__(
        self,
        network: Network,
        start: Mapping[str, Float[Tensor, "out in row col"]],
        decay: float,
    ) -> None:
        self.decay = decay
        self.directions: list[tuple[Tensor, Tensor]] = []
        for layer, weights in conv_weights(network).items():
            if decay and weights.requires_grad and layer != network.graph.layers[0]:
                then = start[layer].to(weights.device).flatten(1)
                self.directions.append((weights, then / then.norm(dim=1, keepdim=True)))

    @torch.no_grad()
    def add_gradient(self) -> None:
        """Add the penalty's gradient to that of the loss."""
        for weights, direction in self.directions:
            along = (weights.flatten(1) * direction).sum(dim=1, keepdim=True)
            assert weights.grad is not None
            weights.grad += (self.decay * along * direction).view_as(weights)
