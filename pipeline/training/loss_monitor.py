"""Losses as they come in: summed, watched, and read off the device only now and then."""

import math
from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Float, Float64
from torch import Tensor

from pipeline.errors import AtlasError
from pipeline.training.checkpoint import Position
from pipeline.training.distributed import Group

DIVERGED = 100.0
"""A loss this many times that of a blind guess will not come back."""
LAG = 16
"""Steps that a GPU may run ahead of the reading of their losses."""


@dataclass
class LossMonitor:
    """The steps whose losses have not been read yet."""

    group: Group
    classes: int
    pending: list[Tensor] = field(default_factory=list)
    """Per step taken: summed loss, wrong images and images of this process."""

    def add(self, tally: Float64[Tensor, "3"]) -> None:
        """Add a step that was taken, without waiting for its values."""
        self.pending.append(tally)

    def should_flush(self, device: torch.device) -> bool:
        """Whether it is time to flush: at every step on a CPU, at every 16th elsewhere."""
        return device.type == "cpu" or len(self.pending) % LAG == 0

    def flush(self, position: Position, coming: Float64[Tensor, "3"] | None = None) -> None:
        """Read the steps taken, the last of which is the position's, into its sums.

        A `coming` step, whose update is yet to be made, is checked with them but not summed.
        Raises AtlasError where a loss is not a number or far above that of a guess. Every process
        must call it at the same step.
        """
        tallies = self.pending if coming is None else [*self.pending, coming]
        if not tallies:
            return
        steps = self.group.all_reduce_sum(torch.stack(tallies)).tolist()
        taken = len(self.pending)
        self.pending.clear()
        first = position.step - taken + 1
        for step, (loss_sum, _, images) in enumerate(steps, start=first):
            self.check("loss", loss_sum / images, position.epoch + 1, step)
        for loss_sum, wrong, images in steps[:taken]:
            position.loss_sum += loss_sum
            position.wrong += int(wrong)
            position.seen += int(images)

    def check(self, kind: str, loss: float, epoch: int, step: int) -> None:
        """Raise AtlasError for a loss that is not a number or far above that of a guess."""
        if not math.isfinite(loss) or loss > DIVERGED * math.log(max(2, self.classes)):
            raise AtlasError(
                f"Training diverged: the {kind} is {loss:.4g} in epoch {epoch}, step {step}.",
                fix="Lower train.learning_rate or lengthen train.warmup_epochs and train again, or "
                "keep what the last checkpoint holds with `atlas train --finish`.",
            )


def step_totals(
    losses: Float[Tensor, " image"], wrong: Bool[Tensor, " image"]
) -> Float64[Tensor, "3"]:
    """Summed loss, wrong images and images of a process's part of a step, on its device."""
    images = torch.tensor(len(losses), dtype=torch.float64, device=losses.device)
    return torch.stack([losses.detach().sum().double(), wrong.sum().double(), images])
