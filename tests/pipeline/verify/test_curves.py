"""The reference's activation functions against torch's own, and its rules for the way down."""

import pytest
import torch
from torch.nn import functional

from pipeline.verify.curves import CURVES, Rule, activate, slope_of

TORCHS_CURVES = {
    "relu": functional.relu,
    "relu6": functional.relu6,
    "leaky_relu": lambda x: functional.leaky_relu(x, 0.3),
    "elu": lambda x: functional.elu(x, 0.3),
    "silu": functional.silu,
    "gelu": functional.gelu,
    "gelu_tanh": lambda x: functional.gelu(x, approximate="tanh"),
    "hardswish": functional.hardswish,
    "hardsigmoid": functional.hardsigmoid,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "softplus": functional.softplus,
    "mish": functional.mish,
}


@pytest.mark.parametrize("kind", CURVES)
def test_an_activation_function_and_its_slope_are_torchs(kind):
    values = torch.linspace(-7, 7, 28, dtype=torch.float64)  # not at a bend: 0, ±3 and 6
    theirs = values.clone().requires_grad_()
    expected = TORCHS_CURVES[kind](theirs)
    expected.sum().backward()
    torch.testing.assert_close(CURVES[kind](0.3)(values), expected.detach(), rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(
        slope_of(CURVES[kind](0.3), values), theirs.grad, rtol=1e-7, atol=1e-7
    )


@pytest.mark.parametrize(
    ("method", "signal"),
    [("deconvnet", [0, 3, 0, 5]), ("gradient", [0, 0, -4, 5]), ("guided", [0, 0, 0, 5])],
)
def test_a_rule_says_what_of_a_signal_passes_a_relu(method, signal):
    values = torch.tensor([-1.0, -1, 1, 1], dtype=torch.float64).reshape(1, 4, 1, 1)
    values.requires_grad_()
    made = activate(values, CURVES["relu"](0.0), Rule(method), None)
    made.backward(torch.tensor([-2.0, 3, -4, 5], dtype=torch.float64).reshape(1, 4, 1, 1))
    assert values.grad.flatten().tolist() == signal
