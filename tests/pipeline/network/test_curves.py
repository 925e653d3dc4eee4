import math

import pytest
import torch

from pipeline.network.curves import apply_curve
from pipeline.network.ops import Curve

CURVES = {
    "relu": (0.0, 2.0),
    "leaky_relu": (-0.5, 2.0),
    "elu": (0.25 * math.expm1(-2), 2.0),
    "sigmoid": (1 / (1 + math.exp(2)), 1 / (1 + math.exp(-2))),
    "silu": (-2 / (1 + math.exp(2)), 2 / (1 + math.exp(-2))),
    "gelu": (-(1 + math.erf(-(2**0.5))), 1 + math.erf(2**0.5)),
    "hardswish": (-2 * 1 / 6, 2 * 5 / 6),
    "softplus": (math.log1p(math.exp(-2)), math.log1p(math.exp(2))),
    "mish": (-2 * math.tanh(math.log1p(math.exp(-2))), 2 * math.tanh(math.log1p(math.exp(2)))),
}
"""Of each function, its values at −2 and 2; the slope is a quarter."""


@pytest.mark.parametrize("kind", CURVES)
def test_an_activation_function_follows_its_formula(kind):
    values = apply_curve(Curve(kind, 0.25), torch.tensor([-2.0, 2.0], dtype=torch.float64))
    assert values.tolist() == pytest.approx(CURVES[kind], rel=1e-12)
