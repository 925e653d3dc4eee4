import math

import pytest

from pipeline.training.optimizer import Cosine, Plateau


def rates(errors: list[float], patience: int) -> list[float]:
    """The rate of each epoch, and of the one after the last, of a plateau that starts at 1."""
    schedule = Plateau(1.0, patience, warmup_epochs=0.0)
    found = [schedule.rate(0.0)]
    for epoch, error in enumerate(errors, start=1):
        schedule.step(error)
        found.append(schedule.rate(float(epoch)))
    return found


def test_a_plateau_divides_the_rate_by_ten_after_so_many_epochs_without_a_better_error():
    errors = [0.9, 0.8, 0.85, 0.8, 0.7, 0.7, 0.7, 0.7]
    assert rates(errors, patience=2) == pytest.approx([1, 1, 1, 1, 0.1, 0.1, 0.1, 0.01, 0.01])


def test_a_plateau_holds_the_rate_while_the_error_falls():
    assert rates([0.9, 0.8, 0.7, 0.6], patience=1) == [1, 1, 1, 1, 1]


def test_a_plateau_with_the_errors_of_a_stopped_run_goes_on_where_that_stopped():
    errors = [0.9, 0.9, 0.9, 0.8, 0.9]
    resumed = Plateau(1.0, 2, 0.0, errors=errors[:3])
    for error in errors[3:]:
        resumed.step(error)
    assert resumed.rate(5.0) == rates(errors, 2)[-1]


@pytest.mark.parametrize("epoch", [0.0, 0.5, 1.0, 2.0, 3.0])
def test_a_cosine_rises_over_the_warm_up_and_then_falls_to_nothing(epoch):
    rate = Cosine(0.4, epochs=3, warmup_epochs=1.0).rate(epoch)
    expected = 0.4 * epoch if epoch < 1 else 0.2 * (1 + math.cos(math.pi * (epoch - 1) / 2))
    assert rate == pytest.approx(expected)


def test_without_a_warm_up_the_first_step_has_the_full_rate():
    assert Plateau(0.01, 5, warmup_epochs=0.0).rate(0.0) == 0.01
    assert Cosine(0.01, 10, warmup_epochs=0.0).rate(0.0) == 0.01
