"""SGD with momentum; penalties on the weights and on what is left of the start."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pipeline.network.module import Network
from pipeline.params import TrainParams
from pipeline.training.start import conv_weights


def make_optimiser(network: Network, train: TrainParams) -> torch.optim.SGD:
    """The optimiser of the layers that learn, as one fused kernel per group of parameters.

    The first layer has a `factor` on the learning rate; biases do not decay.
    """
    first = network.graph.layers[0]
    decays = {4: train.weight_decay, 2: train.fc_decay, 1: 0.0}  # by axes: conv, connected, bias
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            factor = train.conv1_rate if name.startswith(f"{first}.") else 1.0
            groups.setdefault((factor, decays[parameter.ndim]), []).append(parameter)
    return torch.optim.SGD(
        [
            {"params": parameters, "factor": factor, "weight_decay": decay}
            for (factor, decay), parameters in groups.items()
        ],
        lr=train.learning_rate,
        momentum=train.momentum,
        fused=True,
    )


def set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Give every group its share of the learning rate of the coming step."""
    for group in optimiser.param_groups:
        group["lr"] = rate * group["factor"]


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
