import pytest
import torch

from pipeline.network.architectures import Variant, build_chain
from pipeline.seeding import generator_for
from pipeline.training.init import freeze, init_network
from pipeline.training.optimizer import make_optimizer, set_lr
from tests.pipeline.training.tiny import write_params


@pytest.fixture
def parts(tmp_path):
    train = write_params(tmp_path, momentum=0.9, weight_decay=0.1).train
    network = init_network(build_chain("zfnet", 3, 64, Variant(0.05)), "he", generator_for(0, "a"))
    return network, train


def test_two_steps_follow_the_formula_of_momentum_and_decay_and_biases_do_not_decay(parts):
    network, train = parts
    optimizer = make_optimizer(network, train)
    weight, bias = network.conv1.weight, network.conv1.bias
    expected = {"w": weight.detach().double().clone(), "b": bias.detach().double() + 0.5}
    with torch.no_grad():
        bias += 0.5
    speed = {"w": 0.0, "b": 0.0}
    for rate in (0.5, 0.25):
        set_lr(optimizer, rate)
        for parameter in network.parameters():
            parameter.grad = torch.full_like(parameter, 2.0)
        optimizer.step()
        for name, decay in (("w", 0.1), ("b", 0.0)):
            speed[name] = 0.9 * speed[name] + 2.0 + decay * expected[name]
            expected[name] = expected[name] - rate * speed[name]
    torch.testing.assert_close(weight.double(), expected["w"], rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(bias.double(), expected["b"], rtol=1e-5, atol=1e-6)


def test_frozen_layers_are_not_given_to_the_optimizer(parts):
    network, train = parts
    freeze(network, ["conv1", "fc7"])
    optimizer = make_optimizer(network, train)
    learning = {id(p) for group in optimizer.param_groups for p in group["params"]}
    frozen = {id(p) for layer in (network.conv1, network.fc7) for p in layer.parameters()}
    assert learning == {id(p) for p in network.parameters()} - frozen
