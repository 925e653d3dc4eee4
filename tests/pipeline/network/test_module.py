import pytest
import torch

from pipeline.network.architectures import Variant, build_chain
from pipeline.network.module import Network
from tests.pipeline.project.oracle import with_random_weights


def random_network(graph):
    return with_random_weights(Network(graph), torch.Generator().manual_seed(0))


@pytest.mark.parametrize("input_px", range(60, 76))
@pytest.mark.parametrize("arch", ["zfnet", "alexnet"])
def test_the_forward_pass_has_the_sizes_that_the_chain_says_at_any_input(arch, input_px):
    network = Network(build_chain(arch, 3, input_px, Variant(width=0.0625))).eval()
    with torch.no_grad():
        maps = network.activations(torch.zeros(1, 3, input_px, input_px), network.graph.layers)
    for layer, values in maps.items():
        size = network.graph.layer(layer).size
        assert values.shape[1] == network.graph.layer(layer).channels
        assert values.shape[2:] == size


def test_activations_are_taken_after_the_relu_and_before_pool_and_norm():
    network = random_network(build_chain("zfnet", 3, 64, Variant(width=0.0625)))
    inputs = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    maps = network.activations(inputs, ["conv1", "fc7", "fc8"])
    padded = torch.nn.functional.pad(inputs, (0, 1, 0, 1))
    weight, bias = network.tensor("conv1.weight"), network.tensor("conv1.bias")
    conv1 = torch.nn.functional.conv2d(padded, weight, bias, stride=2)
    torch.testing.assert_close(maps["conv1"], conv1.clamp(min=0))
    assert maps["fc7"].min() == 0
    assert torch.equal(maps["fc8"].flatten(1), network(inputs))
    fc8 = maps["fc7"].flatten(1) @ network.tensor("fc8.weight").T + network.tensor("fc8.bias")
    torch.testing.assert_close(network(inputs), fc8)


def test_dropout_acts_in_training_only():
    network = random_network(build_chain("zfnet", 3, 64, Variant(width=0.0625)))
    inputs = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    assert not torch.equal(network.train()(inputs), network(inputs))
    assert torch.equal(network.eval()(inputs), network(inputs))


def test_weights_are_named_by_layer_and_laid_out_out_in_row_col():
    state = Network(build_chain("alexnet", 5, 64, Variant(width=0.125))).state_dict()
    assert list(state)[:2] == ["conv1.weight", "conv1.bias"]
    assert state["conv2.weight"].shape == (32, 6, 5, 5)
