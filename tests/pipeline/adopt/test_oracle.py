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
        lambda x: x.clamp_(min=0),
        lambda x: torch.clamp_(x, 0),
        lambda x: x.clip(0),
        lambda x: functional.hardtanh(x, 0.0, 6.0),
        lambda x: functional.hardtanh_(x, 0.0, 6.0),
        nn.Threshold(0, 0),
        lambda x: torch.max(x, torch.zeros_like(x)),
        lambda x: torch.maximum(x, torch.tensor(0.0)),
    ],
)
def test_a_relu_passes_what_is_positive_and_where_guided_what_it_passed_up(relu):
    assert sent(relu, [-1.0, -1, 2, 2], [3.0, -3, 4, -4]) == [3, 0, 4, 0]
    assert sent(relu, [-1.0, -1, 2, 2], [3.0, -3, 4, -4], "guided") == [0, 0, 4, 0]


def test_a_smooth_curve_passes_what_is_positive_times_its_slope():
    for leaky in (functional.leaky_relu, functional.leaky_relu_):
        assert sent(lambda x, leaky=leaky: leaky(x, 0.5), [-1.0, 2, 2], [3.0, 4, -4]) == [1.5, 4, 0]
    slope = float(torch.tensor(-1.0, dtype=torch.float64).exp())
    for elu in (functional.elu_, functional.celu):
        assert sent(elu, [-1.0, 2], [3.0, 4]) == pytest.approx([3 * slope, 4])


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


def in_the_shape_of_the_map(gate):
    return gate.view(-1, 1).expand(2, 2)


@pytest.mark.parametrize("shape", [in_the_shape_of_the_map, lambda gate: gate[:, None]])
@pytest.mark.parametrize("curve", [torch.sigmoid, functional.hardsigmoid, torch.tanh])
def test_no_signal_goes_into_a_gate_whatever_its_shape(shape, curve):
    """d/dx of x · gate(its mean) is the gate alone, where the gate is a constant."""
    values = [[1.0, 3.0], [-2.0, 1.0]]
    found = sent(lambda x: x * shape(curve(x.mean(1))), values, [[1.0, 1.0], [1.0, 1.0]])
    gate = curve(torch.tensor([2.0, -0.5], dtype=torch.float64))
    assert found == [pytest.approx([float(g)] * 2) for g in gate]


@pytest.mark.parametrize("shape", [in_the_shape_of_the_map, lambda gate: gate[:, None]])
@pytest.mark.parametrize(
    "scaled", [lambda g: 1 + g, lambda g: 1 - g, lambda g: -g, lambda g: 2 * g - 1, lambda g: g / 3]
)
def test_nor_where_it_is_scaled_or_shifted_by_constants(shape, scaled):
    values, above = [[1.0, 3.0], [-2.0, 1.0]], [[1.0, 1.0], [1.0, 1.0]]
    found = sent(lambda x: x * shape(scaled(x.mean(1).sigmoid())), values, above)
    gate = scaled(torch.tensor([2.0, -0.5], dtype=torch.float64).sigmoid())
    assert found == [pytest.approx([float(g)] * 2) for g in gate]


def test_what_a_map_is_divided_by_is_a_constant():
    assert sent(lambda x: x / (x.sum() + 1), [1.0, 2.0], [8.0, -4.0]) == [2, -1]
    assert sent(lambda x: x.max(0)[0] / 2, [1.0, 2.0], 3.0) == [0, 1.5]


def test_a_scaled_gate_made_of_the_value_itself_is_a_gate_and_no_curve():
    gate = float(torch.tensor(0.7, dtype=torch.float64).sigmoid())
    assert sent(lambda x: x * (2 * x.sigmoid()), 0.7, 1.0) == pytest.approx(2 * gate)


def test_a_gate_made_in_place_is_one():
    gate = float(functional.hardsigmoid(torch.tensor(1.4, dtype=torch.float64)))
    found = sent(lambda x: x * functional.hardsigmoid(2 * x, inplace=True), 0.7, 1.0)
    assert found == pytest.approx(gate)


def test_of_two_gates_the_second_is_one_and_a_sum_of_gates_is_none():
    a, b = torch.tensor(0.3).sigmoid(), torch.tensor(0.8).sigmoid()
    slopes = float(a * (1 - a)), float(b * (1 - b))

    def of_gates(x):
        first, second = x.sigmoid()
        return first * second * 1

    assert sent(of_gates, [0.3, 0.8], 1.0) == pytest.approx([slopes[0] * float(b), 0])
    assert sent(lambda x: x.sigmoid().sum() * 1, [0.3, 0.8], 1.0) == pytest.approx(slopes)


@pytest.mark.parametrize("method", ["deconvnet", "guided"])
@pytest.mark.parametrize(
    "relu", [lambda x: functional.relu(x).mul_(2), lambda x: x.relu_().mul_(2)]
)
def test_what_a_relu_makes_may_be_changed_in_place(relu, method):
    """As timm's networks without norms do, which scale it."""
    assert sent(relu, [3.0, 4.0], [5.0, -6.0], method) == [10, 0]


@pytest.mark.parametrize(
    "capped",
    [
        lambda x: functional.hardtanh(x, 0.0, 6.0, True),
        lambda x: functional.relu6(x, inplace=True),
        lambda x: functional.relu(x, True),
    ],
)
def test_a_curve_in_place_changes_what_it_is_given(capped):
    given = torch.tensor([-1.0, 2, 3], requires_grad=True)
    with Backward("guided"):
        x = given * 1
        capped(x[:2])
        (found,) = torch.autograd.grad(x.sum(), given)
    assert x.tolist() == [0, 2, 3]
    assert found.tolist() == [0, 1, 1]


def test_a_plain_gradient_rectifies_nothing():
    assert sent(functional.relu, [-1.0, 2, 2], [3.0, 4, -4], "gradient") == [0, 4, -4]
    assert sent(torch.sigmoid, [0.0], [-8.0], "gradient") == [-2]
    assert sent(torch.sigmoid, [0.0, 0.0], [-8.0, 8.0], "guided") == [0, 2]


def test_norms_pass_a_signal_as_if_their_deviation_were_a_constant():
    lrn = sent(
        lambda x: functional.local_response_norm(x.reshape(1, 2, 1), 3).flatten(),
        [1.0, 2],
        [3.0, 4],
    )
    assert lrn == [3, 4]
    values = [1.0, 5.0]  # mean 3, deviation 2
    for norm in (
        lambda x: functional.layer_norm(x, (2,), eps=0.0),
        lambda x: torch.layer_norm(x, (2,), eps=0.0),
        lambda x: torch.group_norm(x[None, :, None], 1, eps=0.0).flatten(),
        lambda x: functional.instance_norm(x[None, None], eps=0.0).flatten(),
    ):
        assert sent(norm, values, [6.0, 0]) == pytest.approx([1.5, -1.5])
