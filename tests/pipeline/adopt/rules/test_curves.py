import pytest
import torch
from torch import nn
from torch.nn import functional

from pipeline.adopt.trace import UnreadableError
from pipeline.network.ops import Curve
from tests.pipeline.adopt.modules import Lambda, last_op


@pytest.mark.parametrize(
    "relu",
    [
        nn.ReLU(inplace=True),
        Lambda(functional.relu),
        Lambda(torch.relu_),
        Lambda(lambda x: x.clamp(min=0)),
        Lambda(lambda x: x.clamp_min(0)),
        Lambda(lambda x: x.clip(0)),
        nn.Threshold(0, 0),
        Lambda(lambda x: torch.max(x, torch.zeros_like(x))),
        Lambda(lambda x: torch.maximum(torch.tensor(0.0), x)),
    ],
)
def test_a_relu_is_a_relu_however_it_is_called(relu):
    assert last_op(relu) == Curve("relu")


@pytest.mark.parametrize("relu", [nn.ReLU6(), Lambda(lambda x: x.clamp(0, 6))])
def test_so_is_a_relu_with_a_cap(relu):
    assert last_op(relu) == Curve("relu6")


@pytest.mark.parametrize(
    ("module", "curve"),
    [
        (nn.SiLU(), Curve("silu")),
        (Lambda(lambda x: x * torch.sigmoid(x)), Curve("silu")),
        (Lambda(lambda x: functional.hardsigmoid(x) * x), Curve("hardswish")),
        (nn.GELU(), Curve("gelu")),
        (nn.GELU(approximate="tanh"), Curve("gelu_tanh")),
        (nn.LeakyReLU(0.2), Curve("leaky_relu", 0.2)),
        (nn.ELU(0.5), Curve("elu", 0.5)),
        (nn.CELU(), Curve("elu", 1.0)),
        (Lambda(torch.special.expit), Curve("sigmoid")),
        (nn.PReLU(init=0.25), Curve("leaky_relu", 0.25)),
    ],
)
def test_other_curves_are_known_by_name(module, curve):
    assert last_op(module) == curve


@pytest.mark.parametrize(
    ("module", "words"),
    [
        (nn.Hardtanh(0, 5), "calls hardtanh between 0 and 5; 0 and 6 are read"),
        (nn.Threshold(0.1, 20), "calls threshold from 0.1 to 20; 0 and 0 are read"),
        (Lambda(lambda x: torch.maximum(x, x.relu())), "calls maximum with something else than 0"),
        (nn.CELU(2), "calls celu with alpha 2"),
        (nn.Softplus(2), "calls softplus with beta 2"),
        (Lambda(lambda x: torch.ops.aten.elu(x, 1.0, 2.0)), "calls elu with other factors than 1"),
    ],
)
def test_a_function_whose_numbers_are_not_read_is_refused_with_them(module, words):
    with pytest.raises(UnreadableError, match=words):
        last_op(module)


def test_a_slope_for_each_channel_is_refused():
    module = nn.PReLU(3)
    with torch.no_grad():
        module.weight.copy_(torch.tensor([0.1, 0.2, 0.3]))
    with pytest.raises(UnreadableError, match="with a slope for each channel"):
        last_op(module)
