"""The optimizer, its schedules, and what the recipe adds to them.

Stochastic gradient descent with momentum; weight decay on the weights, not on the biases; a cap on
conv filters; a penalty on what is left of the random start; the revival of dead channels.
"""

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR, LinearLR, LRScheduler, ReduceLROnPlateau

from pipeline.network.filters import filter_rms
from pipeline.network.module import Network
from pipeline.params import TrainParams
from pipeline.training.init import conv_weights


def make_optimizer(network: Network, train: TrainParams) -> torch.optim.SGD:
    """The optimizer of the layers that learn, as one fused kernel per group of parameters.

    The first layer's rate is `train.conv1_rate` times that of the others.
    """
    first = network.graph.layers[0]
    decays = {4: train.weight_decay, 2: train.fc_decay, 1: 0.0}  # by axes: conv, connected, bias
    groups: dict[tuple[float, float], list[torch.nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            factor = train.conv1_rate if name.startswith(f"{first}.") else 1.0
            groups.setdefault((factor, decays[parameter.ndim]), []).append(parameter)
    return torch.optim.SGD(
        [
            {"params": parameters, "lr": train.learning_rate * factor, "weight_decay": decay}
            for (factor, decay), parameters in groups.items()
        ],
        lr=train.learning_rate,
        momentum=train.momentum,
        fused=True,
    )


class Schedule:
    """The learning rate over the steps, by torch's own schedulers.

    `cosine` is half a cosine down to 0 at the last step; `plateau`, the paper's, divides the rate
    by ten when the validation error stops falling. Both rise from 0 over the warm-up.
    """

    def __init__(
        self, optimizer: torch.optim.Optimizer, train: TrainParams, steps_per_epoch: int
    ) -> None:
        self._by_step: LRScheduler
        self._by_epoch: ReduceLROnPlateau | None = None
        if train.schedule == "cosine":
            factor = partial(cosine_factor, train.epochs, train.warmup_epochs, steps_per_epoch)
            self._by_step = LambdaLR(optimizer, factor)
        else:
            # LinearLR multiplies the rate that it finds, so that what the plateau took off stays.
            rise = max(1, round(train.warmup_epochs * steps_per_epoch))
            self._by_step = LinearLR(optimizer, 1 / rise, total_iters=rise - 1)
            # torch waits for more bad epochs than its patience, the parameter counts them all.
            patience = train.plateau_patience - 1
            self._by_epoch = ReduceLROnPlateau(
                optimizer, factor=0.1, patience=patience, threshold=0, threshold_mode="abs", eps=0
            )

    def step(self) -> None:
        """Set the rate of the next step, after each."""
        self._by_step.step()

    def end_epoch(self, val_error: float) -> None:
        """Lower the rate where the validation error of the epoch asks for it."""
        if self._by_epoch is not None:
            self._by_epoch.step(val_error)

    def state_dict(self) -> dict[str, Any]:
        """The state to resume from, beside the optimizer's."""
        by_epoch = self._by_epoch.state_dict() if self._by_epoch else {}
        return {"by_step": self._by_step.state_dict(), "by_epoch": by_epoch}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Resume from a state."""
        self._by_step.load_state_dict(state["by_step"])
        if self._by_epoch is not None:
            self._by_epoch.load_state_dict(state["by_epoch"])


def cosine_factor(epochs: int, warmup_epochs: float, steps_per_epoch: int, step: int) -> float:
    """The factor on the rate of a step, counted from 0: a rise from 0, then half a cosine to 0."""
    place = (step + 1) / steps_per_epoch
    if place < warmup_epochs:
        return place / warmup_epochs
    rise = min(warmup_epochs, epochs)
    fallen = (place - rise) / max(epochs - rise, 1e-9)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, fallen)))


@torch.no_grad()
def cap_filters(weights: Float[Tensor, "out in row col"], cap: float) -> None:
    """Scale every filter whose root mean square exceeds `cap` back to it, in place."""
    factor = (cap / filter_rms(weights)).clamp(max=1.0)
    weights.mul_(factor[:, None, None, None])


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
