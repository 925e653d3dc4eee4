import pytest
import torch

from pipeline.dataset.torch_seeding import generator_for
from pipeline.network.architectures import Variant, build_chain
from pipeline.network.module import Network
from pipeline.training.init import conv_weights, freeze, init_network
from pipeline.training.optimizer import StartDecay


@pytest.fixture
def network() -> Network:
    chain = build_chain("zfnet", 3, 64, Variant(0.05))
    return init_network(chain, "he", generator_for(0, "a"))


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
