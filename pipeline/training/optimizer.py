"""The optimizer, its learning-rate schedules, and the cap on conv filters.

Stochastic gradient descent with momentum; weight decay on the weights, not on the biases.
"""

import math
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.network.module import Network
from pipeline.params import TrainParams


def make_optimizer(network: Network, train: TrainParams) -> torch.optim.SGD:
    """The optimizer of the layers that learn, as one fused kernel per group of parameters.

    A group's `factor` is its share of the learning rate: `train.conv1_rate` in the first layer.
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
            {"params": parameters, "factor": factor, "weight_decay": decay}
            for (factor, decay), parameters in groups.items()
        ],
        lr=train.learning_rate,
        momentum=train.momentum,
        fused=True,
    )


def set_lr(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Give every group its share of the learning rate of the coming step."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group["factor"]


@runtime_checkable
class Schedule(Protocol):
    """The learning rate as a function of place and past."""

    def rate(self, epoch: float) -> float:
        """The rate at a place counted in epochs, from 0; between two epochs it is a fraction."""
        ...

    def step(self, val_error: float) -> None:
        """Take note of the validation error at the end of an epoch."""
        ...


def warm_up(epoch: float, warmup_epochs: float) -> float:
    """The factor, rising from 0 to 1, on the rate of the first epochs."""
    return min(1.0, epoch / warmup_epochs) if warmup_epochs else 1.0


@dataclass
class Plateau:
    """The paper's: divide the rate by ten when the validation error stops falling."""

    first_rate: float
    patience: int
    """Epochs without a better error before the rate falls."""
    warmup_epochs: float
    errors: list[float] = field(default_factory=list)
    """Validation errors of the epochs past."""

    def rate(self, epoch: float) -> float:
        """The present rate; it depends on the errors seen so far."""
        return self.first_rate * warm_up(epoch, self.warmup_epochs) * 0.1 ** self._falls()

    def step(self, val_error: float) -> None:
        """Append an epoch's error."""
        self.errors.append(val_error)

    def _falls(self) -> int:
        best, waited, falls = math.inf, 0, 0
        for error in self.errors:
            waited = 0 if error < best else waited + 1
            best = min(best, error)
            if waited == self.patience:
                falls, waited = falls + 1, 0
        return falls


@dataclass(frozen=True)
class Cosine:
    """Half a cosine from the first rate down to 0 at the last epoch, after the warm-up."""

    first_rate: float
    epochs: int
    warmup_epochs: float

    def rate(self, epoch: float) -> float:
        """The rate at a place; the past does not matter."""
        rise = min(self.warmup_epochs, self.epochs)
        fallen = max(0.0, epoch - rise) / max(self.epochs - rise, 1e-9)
        factor = 0.5 * (1 + math.cos(math.pi * min(1.0, fallen)))
        return self.first_rate * warm_up(epoch, self.warmup_epochs) * factor

    def step(self, val_error: float) -> None:
        """Nothing: the curve is fixed."""


def make_schedule(train: TrainParams, val_errors: list[float]) -> Schedule:
    """The schedule that the parameters ask for, with the errors of the epochs already done."""
    if train.schedule == "cosine":
        return Cosine(train.learning_rate, train.epochs, train.warmup_epochs)
    return Plateau(
        train.learning_rate, train.plateau_patience, train.warmup_epochs, list(val_errors)
    )


def filter_rms(weights: Float[Tensor, "out in row col"]) -> Float[Tensor, " out"]:
    """Root mean square of each output filter, over all its weights; the bias does not count."""
    return weights.square().mean(dim=(1, 2, 3)).sqrt()


@torch.no_grad()
def cap_filters(weights: Float[Tensor, "out in row col"], cap: float) -> None:
    """Scale every filter whose root mean square exceeds `cap` back to it, in place."""
    factor = (cap / filter_rms(weights)).clamp(max=1.0)
    weights.mul_(factor[:, None, None, None])
