import math

import pytest
import torch

from pipeline.errors import AtlasError
from pipeline.training.checkpoint import Position
from pipeline.training.group import Group
from pipeline.training.ledger import Ledger


def settled(*losses: float, epoch: int = 2, step: int | None = None) -> Position:
    """The position after steps of two images each with those mean losses."""
    ledger = Ledger(Group(), classes=10)
    for loss in losses:
        ledger.note(torch.tensor(2 * loss), torch.tensor(1), 2)
    position = Position(epoch=epoch, step=len(losses) if step is None else step)
    ledger.settle(position)
    return position


def test_losses_wrong_images_and_images_are_summed():
    position = settled(1.0, 2.0, 0.5)
    assert (position.loss_sum, position.wrong, position.seen) == (7.0, 3, 6)


@pytest.mark.parametrize("loss", [math.nan, math.inf, 100 * math.log(10) + 1])
def test_a_loss_that_will_not_come_back_names_its_epoch_and_step(loss):
    with pytest.raises(AtlasError, match=r"in epoch 3, step 6\b"):
        settled(1.0, loss, 1.0, step=7)


def test_on_a_cpu_every_step_is_settled_at_once():
    ledger = Ledger(Group(), classes=10)
    ledger.note(torch.tensor(1.0), torch.tensor(0), 1)
    assert ledger.due()
