import pytest
import torch

from pipeline.verify.ties import InvalidSwitchError, apply_claims

WINDOWS = torch.tensor([1.0, 2.0, 2.0 - 1e-7, -torch.inf], dtype=torch.float64)


def nearly_equal(pool):
    return WINDOWS.expand(1, 3, 3, 4).contiguous()


def claimed(offset, first=(1, 1), side=2):
    return {2: (first, torch.full((side, side, 1), offset, dtype=torch.uint8))}


def test_a_claim_among_values_that_agree_to_rounding_is_taken_within_its_window():
    choice = apply_claims(nearly_equal, claimed(2))[2][0]
    assert choice.tolist() == [[1, 1, 1], [1, 2, 2], [1, 2, 2]]


@pytest.mark.parametrize("first", [(-1, -1), (2, 2), (-1, 2)])
def test_a_window_that_reaches_outside_the_map_counts_only_inside(first):
    choice = apply_claims(nearly_equal, claimed(2, first))[2][0]
    assert int((choice == 2).sum()) == 1


@pytest.mark.parametrize("offset", [0, 3])
def test_a_claim_that_is_no_maximum_is_refused(offset):
    with pytest.raises(InvalidSwitchError):
        apply_claims(nearly_equal, claimed(offset))
