"""Revival of dead channels: what next to no image of an epoch excited is turned round."""

import torch
from jaxtyping import Int64
from torch import Tensor

from pipeline.network.module import Network

RARE = 0.1
"""A channel excited in a smaller share of an epoch's steps is dead, or about to be."""

Excited = dict[str, Int64[Tensor, " channel"]]
"""By conv layer that learns, the steps of the epoch so far whose images excited each channel."""


def note_excited(network: Network, excited: Excited) -> None:
    """Count the channels that the images of a step excited.

    A ReLU lets no gradient through where it gives 0, so only an excited channel's bias has one;
    after the gradients are summed over processes, every process counts the same.
    """
    for layer in network.graph.conv_layers:
        gradient = network.get_parameter(f"{layer}.bias").grad
        if gradient is not None:
            now = (gradient != 0).long()
            excited[layer] = excited[layer].to(now.device) + now if layer in excited else now


@torch.no_grad()
def turn_round(
    network: Network, optimizer: torch.optim.Optimizer, excited: Excited, steps: int
) -> None:
    """Reverse the sign of each channel that was excited in a smaller share of the steps than RARE.

    Its response was below 0 for nearly every image, so now it is above, and the gradient reaches
    it again. Its momentum is reversed with it.
    """
    for layer, counts in excited.items():
        dead = counts < RARE * steps
        for kind in ("weight", "bias"):
            parameter = network.get_parameter(f"{layer}.{kind}")
            momentum = optimizer.state[parameter].get("momentum_buffer")
            for values in (parameter, momentum):
                if values is not None:
                    values[dead] *= -1
