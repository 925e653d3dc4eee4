import pytest
import torch

from pipeline.network.filters import filter_rms
from pipeline.training.optimizer import cap_filters


def filters(*rms: float) -> torch.Tensor:
    """A filter of (2, 1, 2) weights, ± one value, per root mean square."""
    return torch.stack([torch.tensor([[[r, -r]], [[-r, r]]]) for r in rms])


def test_the_rms_is_taken_over_all_weights_of_one_output_filter():
    weights = torch.tensor([[[[1.0, 3.0]], [[-1.0, -3.0]]], [[[0.0, 0.0]], [[0.0, 2.0]]]])
    assert filter_rms(weights).tolist() == pytest.approx([5**0.5, 1.0])


def test_a_filter_above_the_cap_is_scaled_back_to_it_and_keeps_its_direction():
    weights = filters(0.4)
    cap_filters(weights, 0.1)
    torch.testing.assert_close(weights, filters(0.1))


def test_filters_at_or_below_the_cap_stay_as_they_are_to_the_bit():
    weights = torch.cat([filters(0.05), filters(0.4)])
    cap_filters(weights, 0.1)
    assert torch.equal(weights[0], filters(0.05)[0])


def test_a_filter_of_zeros_stays_zero():
    weights = torch.zeros(2, 3, 5, 5)
    cap_filters(weights, 0.1)
    assert torch.equal(weights, torch.zeros(2, 3, 5, 5))
