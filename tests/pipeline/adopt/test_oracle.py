"""The oracle's rules on functions of one number, where each can be done by hand."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from pipeline.adopt.oracle import Backward


def sent(function, value, signal, method="deconvnet"):
    """What comes down to a value of a signal above a function of it."""
    given = torch.tensor(value, dtype=torch.float64, requires_grad=True)
    with Backward(method):
        made = function(given * 1)
    (found,) = torch.autograd.grad(made, given, torch.tensor(signal, dtype=torch.float64))
    return found.tolist()


@pytest.mark.parametrize(
    "relu",
    [
        functional.relu,
        torch.relu_,
        nn.ReLU(inplace=True),
        lambda x: x.clamp(min=0),
        lambda x: functional.hardtanh(x, 0.0, 6.0),
    ],
)
def test_a_relu_passes_what_is_positive_and_where_guided_what_it_passed_up(relu):
    assert sent(relu, [-1.0, -1, 2, 2], [3.0, -3, 4, -4]) == [3, 0, 4, 0]
    assert sent(relu, [-1.0, -1, 2, 2], [3.0, -3, 4, -4], "guided") == [0, 0, 4, 0]


def test_a_smooth_curve_passes_what_is_positive_times_its_slope():
    assert sent(lambda x: functional.leaky_relu(x, 0.5), [-1.0, 2, 2], [3.0, 4, -4]) == [1.5, 4, 0]


def test_values_on_the_way_up_are_the_function_s_own():
    given = torch.tensor([-1.0, 0.5, 2])
    with Backward("guided"):
        assert functional.relu(given).tolist() == [0, 0.5, 2]
        assert torch.equal(functional.silu(given), given * torch.sigmoid(given))
    assert functional.relu(given.requires_grad_()).sum().backward() is None
    assert given.grad.tolist() == [0, 1, 1]  # and afterwards torch is as it was


def test_a_gate_is_a_constant_and_a_value_gated_by_itself_a_curve():
    gate = torch.tensor([0.25, 0.5], dtype=torch.float64)
    assert sent(lambda x: x * torch.logit(gate).sigmoid(), [1.0, 3], [2.0, -2]) == pytest.approx(
        [0.5, -1]
    )
    value = 0.7
    slope = torch.tensor(value, dtype=torch.float64)
    s = torch.sigmoid(slope)
    expected = float(s + slope * s * (1 - s))
    assert sent(lambda x: x * torch.sigmoid(x), value, 1.0) == pytest.approx(expected)


def test_norms_pass_a_signal_as_if_their_deviation_were_a_constant():
    lrn = sent(
        lambda x: functional.local_response_norm(x.reshape(1, 2, 1), 3).flatten(),
        [1.0, 2],
        [3.0, 4],
    )
    assert lrn == [3, 4]
    values = [1.0, 5.0]  # mean 3, deviation 2
    norm = sent(lambda x: functional.layer_norm(x, (2,), eps=0.0), values, [6.0, 0])
    assert norm == pytest.approx([1.5, -1.5])
