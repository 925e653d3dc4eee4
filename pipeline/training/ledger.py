"""Losses as they come in: summed, watched, and read off the device only now and then."""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from pipeline.errors import AtlasError
from pipeline.training.checkpoint import Position
from pipeline.training.group import Group

DIVERGED = 100.0
"""A loss this many times that of a blind guess will not come back."""
LAG = 16
"""Steps that a GPU may run ahead of the reading of their losses."""


@dataclass
class Ledger:
    """The steps whose losses have not been read yet."""

    group: Group
    classes: int
    pending: list[Tensor] = field(default_factory=list)
    """Per step: summed loss, wrong images and images of this process."""

    def note(self, loss_sum: Tensor, wrong: Tensor, count: int) -> None:
        """Add a step, without waiting for its values."""
        images = torch.tensor(float(count), dtype=torch.float64, device=loss_sum.device)
        self.pending.append(torch.stack([loss_sum.double(), wrong.double(), images]))

    def due(self) -> bool:
        """Whether it is time to settle: at every step on a CPU, at every 16th elsewhere."""
        return len(self.pending) >= (1 if self.pending[0].device.type == "cpu" else LAG)

    def settle(self, position: Position) -> None:
        """Read the pending steps, the last of which is the position's, into its sums.

        Raises AtlasError where a loss is not a number or far above that of a guess. Every process
        must call it at the same step.
        """
        if not self.pending:
            return
        steps = self.group.sum(torch.stack(self.pending)).tolist()
        first = position.step - len(steps) + 1
        self.pending.clear()
        for step, (loss_sum, wrong, images) in enumerate(steps, start=first):
            self._check(loss_sum / images, position.epoch + 1, step)
            position.loss_sum += loss_sum
            position.wrong += int(wrong)
            position.seen += int(images)

    def _check(self, loss: float, epoch: int, step: int) -> None:
        if not math.isfinite(loss) or loss > DIVERGED * math.log(max(2, self.classes)):
            raise AtlasError(
                f"Training diverged: the loss is {loss:.4g} in epoch {epoch}, step {step}.",
                fix="Lower train.learning_rate, or lengthen train.warmup_epochs.",
            )
