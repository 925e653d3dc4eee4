import pytest
import torch

from pipeline.verify.ties import Curved, InvalidSwitchError, apply_claims

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
def test_a_claim_that_is_not_a_maximum_is_refused(offset):
    with pytest.raises(InvalidSwitchError):
        apply_claims(nearly_equal, claimed(offset))


VALUES = torch.tensor([[[1.0, -1e-7], [1e-7, -0.5]]], dtype=torch.float64)


def claimed_slopes(*rows):
    """Of a ReLU of VALUES, by the unit's window, which is the map."""
    slopes = torch.tensor(rows, dtype=torch.bool)[:, :, None]
    relu = Curved(lambda x: x.clamp(min=0), VALUES)
    return apply_claims(nearly_equal, {5: ((0, 0), slopes)}, {5: relu}.get)[5]


def test_a_claimed_slope_counts_on_either_side_of_a_bend_that_is_near():
    own = [[True, False], [True, False]]
    assert claimed_slopes(*own).tolist() == [[[1, 0], [1, 0]]]
    assert claimed_slopes([True, True], [False, False]).tolist() == [[[1, 1], [0, 0]]]


@pytest.mark.parametrize("rows", [[[False, False], [True, False]], [[True, False], [True, True]]])
def test_a_slope_that_the_function_has_nowhere_near_is_refused(rows):
    with pytest.raises(InvalidSwitchError, match="1 slopes"):
        claimed_slopes(*rows)


def test_claims_of_nodes_without_a_bend_are_left_out():
    gate = torch.rand(2, 2, 1)
    assert apply_claims(nearly_equal, {7: ((0, 0), gate)}, {}.get) == {}
