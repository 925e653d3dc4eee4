import pytest
import torch

from pipeline.dataset.torch_seeding import generator_for
from pipeline.network.architectures import Variant, build_chain
from pipeline.network.module import Network
from pipeline.params import TrainParams
from pipeline.training.init import freeze, init_network
from pipeline.training.optimizer import make_optimizer
from tests.pipeline.training.tiny import write_params

RATE = 4.0
"""Of the first layer, as a factor."""
DECAY = {"conv1": 0.1, "conv2": 0.1, "fc8": 0.01}


@pytest.fixture
def network() -> Network:
    chain = build_chain("zfnet", 3, 64, Variant(0.05))
    return init_network(chain, "he", generator_for(0, "a"))


@pytest.fixture
def train(tmp_path) -> TrainParams:
    return write_params(
        tmp_path,
        momentum=0.9,
        weight_decay=DECAY["conv2"],
        fc_decay=DECAY["fc8"],
        conv1_rate=RATE,
    ).train


@pytest.mark.parametrize("layer", ["conv1", "conv2", "fc8"])
def test_two_steps_follow_the_formula_of_momentum_and_decay_and_biases_do_not_decay(
    network, train, layer
):
    optimizer = make_optimizer(network, train)
    shares = [group["lr"] / train.learning_rate for group in optimizer.param_groups]
    parameters = {kind: network.get_parameter(f"{layer}.{kind}") for kind in ("weight", "bias")}
    with torch.no_grad():
        parameters["bias"] += 0.5
    factor = RATE if layer == "conv1" else 1.0
    decays = {"weight": DECAY[layer], "bias": 0.0}
    expected = {kind: p.detach().double().clone() for kind, p in parameters.items()}
    speed = {"weight": 0.0, "bias": 0.0}
    for rate in (0.5, 0.25):
        for group, share in zip(optimizer.param_groups, shares, strict=True):
            group["lr"] = rate * share
        for parameter in network.parameters():
            parameter.grad = torch.full_like(parameter, 2.0)
        optimizer.step()
        for kind in parameters:
            speed[kind] = 0.9 * speed[kind] + 2.0 + decays[kind] * expected[kind]
            expected[kind] = expected[kind] - factor * rate * speed[kind]
    for kind, parameter in parameters.items():
        torch.testing.assert_close(parameter.double(), expected[kind], rtol=1e-5, atol=1e-6)


def test_frozen_layers_are_not_given_to_the_optimizer(network, train):
    freeze(network, ["conv1", "fc7"])
    optimizer = make_optimizer(network, train)
    learning = {id(p) for group in optimizer.param_groups for p in group["params"]}
    frozen = {id(p) for layer in (network.conv1, network.fc7) for p in layer.parameters()}
    assert learning == {id(p) for p in network.parameters()} - frozen
