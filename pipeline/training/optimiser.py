"""Stochastic gradient descent with momentum; weight decay on the weights, not on the biases."""

import torch
from torch import nn

from pipeline.network.module import Network
from pipeline.params import TrainParams


def make_optimiser(network: Network, train: TrainParams) -> torch.optim.SGD:
    """The optimiser of the layers that learn, as one fused kernel per step."""
    weights: list[nn.Parameter] = []
    biases: list[nn.Parameter] = []
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            (biases if name.endswith(".bias") else weights).append(parameter)
    groups = [
        {"params": weights, "weight_decay": train.weight_decay},
        {"params": biases, "weight_decay": 0.0},
    ]
    return torch.optim.SGD(groups, lr=train.learning_rate, momentum=train.momentum, fused=True)


def set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Give every group the learning rate of the coming step."""
    for group in optimiser.param_groups:
        group["lr"] = rate
