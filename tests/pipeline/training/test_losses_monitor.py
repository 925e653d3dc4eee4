import math

import pytest
import torch

from pipeline.errors import AtlasError
from pipeline.training.checkpoint import Position
from pipeline.training.distributed import Group
from pipeline.training.losses import LossMonitor, step_totals


def tally(loss: float) -> torch.Tensor:
    """A step of two images with that mean loss, one of them wrong."""
    return step_totals(torch.tensor([loss, loss]), torch.tensor([True, False]))


def settled(*losses: float, coming: float | None = None) -> Position:
    """The position after those steps of the third epoch."""
    monitor = LossMonitor(Group(), classes=10)
    for loss in losses:
        monitor.add(tally(loss))
    position = Position(epoch=2, step=len(losses))
    monitor.flush(position, None if coming is None else tally(coming))
    return position


def test_losses_wrong_images_and_images_are_summed():
    position = settled(1.0, 2.0, 0.5)
    assert (position.loss_sum, position.wrong, position.seen) == (7.0, 3, 6)


def test_a_step_to_come_is_not_summed():
    assert settled(1.0, coming=50.0) == settled(1.0)


LOST = [math.nan, math.inf, 100 * math.log(10) + 1]


@pytest.mark.parametrize("loss", LOST)
def test_a_loss_that_will_not_come_back_names_its_epoch_and_step(loss):
    with pytest.raises(AtlasError, match=r"in epoch 3, step 2\b"):
        settled(1.0, loss, 1.0)


@pytest.mark.parametrize("loss", LOST)
def test_a_step_to_come_is_checked_before_its_weights_change(loss):
    with pytest.raises(AtlasError, match=r"in epoch 3, step 3\b"):
        settled(1.0, 1.0, coming=loss)


def test_a_cpu_settles_at_every_step_and_a_gpu_at_its_first_and_every_sixteenth():
    monitor = LossMonitor(Group(), classes=10)
    due = {"cpu": [], "cuda": []}
    for _ in range(33):
        for kind, steps in due.items():
            steps.append(monitor.should_flush(torch.device(kind)))
        monitor.add(tally(1.0))
    assert all(due["cpu"])
    assert [step for step, is_due in enumerate(due["cuda"]) if is_due] == [0, 16, 32]
