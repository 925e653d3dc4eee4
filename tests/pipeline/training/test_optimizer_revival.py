import pytest
import torch
from torch.nn import functional

from pipeline.network.architectures import Variant, build_chain
from pipeline.network.module import Network
from pipeline.training.init import init_network
from pipeline.training.optimizer import note_excited, turn_round


@pytest.fixture
def network() -> Network:
    chain = build_chain("zfnet", 3, 64, Variant(0.05))
    return init_network(chain, "he", torch.Generator().manual_seed(0))


INPUTS = torch.rand(4, 3, 64, 64, generator=torch.Generator().manual_seed(1))


def step(network: Network, optimizer: torch.optim.Optimizer) -> None:
    optimizer.zero_grad()
    functional.cross_entropy(network(INPUTS), torch.tensor([0, 1, 2, 0])).backward()


def kill(network: Network, channel: int) -> None:
    """Make a channel of conv1 answer to nothing: all its inputs are positive, its weights not."""
    with torch.no_grad():
        network.conv1.weight[channel] = -network.conv1.weight[channel].abs()
        network.conv1.bias[channel] = -0.1


def test_a_step_counts_for_the_channels_that_its_images_excite(network):
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01)
    kill(network, 1)
    peaks = network.activations(INPUTS, ["conv1"])["conv1"].amax(dim=(0, 2, 3))
    excited = {}
    for _ in range(2):
        step(network, optimizer)
        note_excited(network, excited)
    assert excited["conv1"].tolist() == [2 * (peak > 0) for peak in peaks.tolist()]
    assert excited["conv1"][1] == 0


def test_a_dead_channel_is_reversed_with_its_momentum_and_answers_again(network):
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-6, momentum=0.9)
    kill(network, 1)
    step(network, optimizer)
    optimizer.step()
    before = network.conv1.weight.detach().clone()
    momentum = optimizer.state[network.conv1.bias]["momentum_buffer"].clone()
    turn_round(network, optimizer, {"conv1": torch.tensor([100, 9, 10, 11, 50])}, steps=100)
    alive = torch.tensor([True, False, True, True, True])
    assert torch.equal(network.conv1.weight[1], -before[1])
    assert torch.equal(network.conv1.weight[alive], before[alive])
    now = optimizer.state[network.conv1.bias]["momentum_buffer"]
    assert torch.equal(now, torch.where(alive, momentum, -momentum))
    assert (network.activations(INPUTS, ["conv1"])["conv1"][:, 1] > 0).all()


def test_frozen_layers_are_left_alone(network):
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01)
    network.conv1.requires_grad_(False)
    excited = {}
    step(network, optimizer)
    note_excited(network, excited)
    assert set(excited) == {"conv2", "conv3", "conv4", "conv5"}
