import pytest
import torch

from pipeline.network.architectures import Variant, build_chain
from pipeline.network.module import Network
from pipeline.params import TrainParams
from pipeline.seeding import generator_for
from pipeline.training.optimiser import StartDecay, make_optimiser, set_rate
from pipeline.training.start import conv_weights, drawn_network, freeze
from tests.pipeline.training.tiny import write_params

RATE = 4.0
"""Of the first layer, as a factor."""
DECAY = {"conv1": 0.1, "conv2": 0.1, "fc8": 0.01}


@pytest.fixture
def network() -> Network:
    chain = build_chain("zfnet", 3, 64, Variant(0.05))
    return drawn_network(chain, "he", generator_for(0, "a"))


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
    optimiser = make_optimiser(network, train)
    parameters = {kind: network.get_parameter(f"{layer}.{kind}") for kind in ("weight", "bias")}
    with torch.no_grad():
        parameters["bias"] += 0.5
    factor = RATE if layer == "conv1" else 1.0
    decays = {"weight": DECAY[layer], "bias": 0.0}
    expected = {kind: p.detach().double().clone() for kind, p in parameters.items()}
    speed = {"weight": 0.0, "bias": 0.0}
    for rate in (0.5, 0.25):
        set_rate(optimiser, rate)
        for parameter in network.parameters():
            parameter.grad = torch.full_like(parameter, 2.0)
        optimiser.step()
        for kind in parameters:
            speed[kind] = 0.9 * speed[kind] + 2.0 + decays[kind] * expected[kind]
            expected[kind] = expected[kind] - factor * rate * speed[kind]
    for kind, parameter in parameters.items():
        torch.testing.assert_close(parameter.double(), expected[kind], rtol=1e-5, atol=1e-6)


def test_frozen_layers_are_not_given_to_the_optimiser(network, train):
    freeze(network, ["conv1", "fc7"])
    optimiser = make_optimiser(network, train)
    learning = {id(p) for group in optimiser.param_groups for p in group["params"]}
    frozen = {id(p) for layer in (network.conv1, network.fc7) for p in layer.parameters()}
    assert learning == {id(p) for p in network.parameters()} - frozen


def start_of(network: Network) -> dict[str, torch.Tensor]:
    return {layer: weights.detach().clone() for layer, weights in conv_weights(network).items()}


def test_the_start_decays_and_what_was_learnt_does_not(network):
    start = start_of(network)
    learnt = torch.randn(start["conv2"].shape, generator=torch.Generator().manual_seed(0))
    flat, along = learnt.flatten(1), start["conv2"].flatten(1)
    share = (flat * along).sum(1, keepdim=True) / along.square().sum(1, keepdim=True)
    learnt = (flat - share * along).view_as(learnt)
    with torch.no_grad():
        network.conv2.weight.add_(learnt)
    penalty = StartDecay(network, start, 0.5)
    for parameter in network.parameters():
        parameter.grad = torch.zeros_like(parameter)
    penalty.add_gradient()
    torch.optim.SGD(network.parameters(), lr=0.1).step()
    expected = start["conv2"] * (1 - 0.1 * 0.5) + learnt
    torch.testing.assert_close(network.conv2.weight.detach(), expected)
    assert torch.equal(network.conv1.weight.detach(), start["conv1"])


def test_the_gradient_is_that_of_the_penalty(network):
    start = start_of(network)
    with torch.no_grad():
        network.conv3.weight.add_(torch.randn_like(network.conv3.weight))
    along = (network.conv3.weight * start["conv3"]).flatten(1).sum(1)
    penalty = 0.5 * 0.3 * (along.square() / start["conv3"].flatten(1).square().sum(1)).sum()
    (expected,) = torch.autograd.grad(penalty, network.conv3.weight)
    for parameter in network.parameters():
        parameter.grad = torch.zeros_like(parameter)
    StartDecay(network, start, 0.3).add_gradient()
    torch.testing.assert_close(network.conv3.weight.grad, expected)


def test_a_frozen_layer_keeps_its_start(network):
    freeze(network, ["conv2"])
    for parameter in network.parameters():
        parameter.grad = torch.zeros_like(parameter)
    StartDecay(network, start_of(network), 0.5).add_gradient()
    assert not network.conv2.weight.grad.any()
    assert network.conv3.weight.grad.any()
