"""Stochastic gradient descent with momentum; weight decay on the weights, not on the biases."""

import torch

from pipeline.network.module import Network
from pipeline.params import TrainParams


def make_optimiser(network: Network, train: TrainParams) -> torch.optim.SGD:
    """The optimiser of the layers that learn, as one fused kernel per group of parameters.

    A group's `factor` is its share of the learning rate: `train.conv1_rate` in the first layer.
    """
    first = network.graph.layers[0]
    groups: dict[tuple[bool, bool], list[torch.nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            layer, _, kind = name.partition(".")
            groups.setdefault((layer == first, kind == "bias"), []).append(parameter)
    return torch.optim.SGD(
        [
            {
                "params": parameters,
                "weight_decay": 0.0 if is_bias else train.weight_decay,
                "factor": train.conv1_rate if is_first else 1.0,
            }
            for (is_first, is_bias), parameters in groups.items()
        ],
        lr=train.learning_rate,
        momentum=train.momentum,
        fused=True,
    )


def set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Give every group its share of the learning rate of the coming step."""
    for group in optimiser.param_groups:
        group["lr"] = rate * group["factor"]
