"""Stochastic gradient descent with momentum, and with weight decay that spares small filters."""

import torch
from torch import Tensor, nn

from pipeline.network.module import Network
from pipeline.params import TrainParams
from pipeline.training.filters import filter_rms
from pipeline.training.start import conv_weights


def make_optimiser(network: Network, train: TrainParams) -> torch.optim.SGD:
    """The optimiser of the layers that learn, as one fused kernel per group of parameters.

    The first layer has a weight decay of its own, and a `factor` on the learning rate.
    """
    first = network.chain.layers[0]
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            layer, _, kind = name.partition(".")
            factor = train.conv1_rate if layer == first else 1.0
            decay = train.conv1_decay if layer == first else train.weight_decay
            if kind == "bias" and not train.decay_biases:
                decay = 0.0
            groups.setdefault((factor, decay), []).append(parameter)
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


class DecayFloor:
    """Conv filters that are smaller than a share of their layer's typical start do not decay.

    Without it, decay shrinks those that the loss does not hold up until they are dead.
    """

    def __init__(self, network: Network, share: float) -> None:
        """`network` has its start; the floor of a layer is a share of its filters' median RMS."""
        self.floors = {
            weights: share * filter_rms(weights.detach()).median().item()
            for weights in conv_weights(network).values()
        }

    @torch.no_grad()
    def spare(self, optimiser: torch.optim.Optimizer) -> None:
        """Take the coming step's decay of the small filters out of their gradient."""
        for group in optimiser.param_groups:
            for weights in group["params"]:
                if weights in self.floors:
                    self._spare(weights, group["weight_decay"])

    def _spare(self, weights: Tensor, decay: float) -> None:
        small = filter_rms(weights) < self.floors[weights]
        assert weights.grad is not None
        weights.grad -= weights * (small * decay)[:, None, None, None]
