import math
from typing import Any

import pytest
import torch

from pipeline.params import TrainParams
from pipeline.training.optimizer import Schedule
from tests.pipeline.training.tiny import write_params

STEPS = 4
"""Steps in an epoch."""


@pytest.fixture
def params(tmp_path):
    def make(**train: Any) -> TrainParams:
        return write_params(tmp_path, learning_rate=0.4, **train).train

    return make


def started(train: TrainParams) -> tuple[torch.optim.Optimizer, Schedule]:
    weights = [torch.nn.Parameter(torch.zeros(1)) for _ in range(2)]
    groups = [{"params": weights[:1]}, {"params": weights[1:], "lr": train.learning_rate / 2}]
    optimizer = torch.optim.SGD(groups, lr=train.learning_rate)
    return optimizer, Schedule(optimizer, train, STEPS)


def epoch_rates(
    optimizer: torch.optim.Optimizer, schedule: Schedule, error: float | None = None
) -> list[float]:
    """The rates of the steps of one epoch, which ends with a validation error."""
    rates = []
    for _ in range(STEPS):
        rates.append(optimizer.param_groups[0]["lr"])
        assert optimizer.param_groups[1]["lr"] == pytest.approx(rates[-1] / 2)
        optimizer.step()
        schedule.step()
    if error is not None:
        schedule.end_epoch(error)
    return rates


def plateau_rates(train: TrainParams, errors: list[float]) -> list[float]:
    """The rate of the first step of each epoch, and of the one after the last."""
    optimizer, schedule = started(train)
    first = [epoch_rates(optimizer, schedule, error)[0] for error in errors]
    return [*first, optimizer.param_groups[0]["lr"]]


def test_a_plateau_divides_the_rate_by_ten_after_so_many_epochs_without_a_better_error(params):
    train = params(schedule="plateau", warmup_epochs=0.0, plateau_patience=2)
    errors = [0.9, 0.8, 0.85, 0.8, 0.7, 0.7, 0.7, 0.7]
    expected = [0.4, 0.4, 0.4, 0.4, 0.04, 0.04, 0.04, 0.004, 0.004]
    assert plateau_rates(train, errors) == pytest.approx(expected)


def test_a_plateau_holds_the_rate_while_the_error_falls(params):
    train = params(schedule="plateau", warmup_epochs=0.0, plateau_patience=1)
    assert plateau_rates(train, [0.9, 0.8, 0.7, 0.6]) == [0.4] * 5


def test_a_plateau_rises_over_the_warm_up_and_stays_lowered_during_it(params):
    train = params(schedule="plateau", warmup_epochs=2.0, plateau_patience=1)
    optimizer, schedule = started(train)
    rising = [0.4 * step / 8 for step in range(1, 9)]
    assert epoch_rates(optimizer, schedule, 0.9) == pytest.approx(rising[:4])
    assert epoch_rates(optimizer, schedule, 0.9) == pytest.approx(rising[4:])
    assert epoch_rates(optimizer, schedule, 0.9) == pytest.approx([0.04] * 4)


def test_a_cosine_rises_over_the_warm_up_and_then_falls_to_nothing(params):
    train = params(schedule="cosine", warmup_epochs=1.0, epochs=3)
    optimizer, schedule = started(train)
    rates = [rate for _ in range(3) for rate in epoch_rates(optimizer, schedule)]
    places = [(step + 1) / STEPS for step in range(3 * STEPS)]
    expected = [
        0.4 * place if place < 1 else 0.2 * (1 + math.cos(math.pi * (place - 1) / 2))
        for place in places
    ]
    assert rates == pytest.approx(expected)
    assert rates[-1] == 0


@pytest.mark.parametrize("schedule", ["cosine", "plateau"])
def test_without_a_warm_up_the_rate_starts_full(params, schedule):
    train = params(schedule=schedule, warmup_epochs=0.0, epochs=10**6)
    optimizer, _ = started(train)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.4)


@pytest.mark.parametrize("schedule", ["cosine", "plateau"])
def test_a_schedule_resumes_from_its_state_to_the_bit(params, schedule):
    train = params(schedule=schedule, warmup_epochs=1.5, epochs=6, plateau_patience=1)
    errors = [0.9, 0.9, 0.8, 0.8, 0.7, 0.7]
    optimizer, whole = started(train)
    expected = [epoch_rates(optimizer, whole, error) for error in errors]
    first, stopped = started(train)
    rates = [epoch_rates(first, stopped, error) for error in errors[:2]]
    second, resumed = started(train)
    second.load_state_dict(first.state_dict())
    resumed.load_state_dict(stopped.state_dict())
    rates += [epoch_rates(second, resumed, error) for error in errors[2:]]
    assert rates == expected
