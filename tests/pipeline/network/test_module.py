import numpy as np
import pytest
import torch

from pipeline.network.architectures import Variant, build_chain
from pipeline.network.functions import apply_op, pad_for
from pipeline.network.module import Network
from pipeline.network.ops import LocalResponseNorm, MaxPool, square
from tests.pipeline.project.oracle import with_random_weights


def random_network(graph):
    return with_random_weights(Network(graph), torch.Generator().manual_seed(0))


def test_contrast_norm_follows_the_papers_formula():
    op = LocalResponseNorm(channels=5, alpha=0.1, beta=0.75, k=2.0)
    maps = torch.rand(1, 7, 2, 2, generator=torch.Generator().manual_seed(0))
    got = apply_op(op, [maps], (2, 2), {})[0].numpy()
    values = maps[0].numpy().astype(np.float64)
    for channel in range(7):
        near = values[max(0, channel - 2) : channel + 3]
        expected = values[channel] / (2 + 0.1 * (near**2).sum(axis=0)) ** 0.75
        np.testing.assert_allclose(got[channel], expected, rtol=1e-5)


def test_a_pool_counts_what_its_last_window_reaches():
    maps = torch.arange(16.0).reshape(1, 1, 4, 4)
    pooled = apply_op(MaxPool(square(3, 2)), [maps], (2, 2), {})
    assert pooled.tolist() == [[[[10.0, 11.0], [14.0, 15.0]]]]


@pytest.mark.parametrize(("size", "side"), [(7, 7), (8, 9), (9, 9), (10, 11)])
def test_zeros_complete_the_last_window_on_the_right_and_bottom_only(size, side):
    window = square(3, 2)
    padded, _ = pad_for(window, torch.ones(1, 1, size, size), window.completed((size, size)))
    assert padded.shape[-2:] == (side, side)
    assert torch.equal(padded[..., :size, :size], torch.ones(1, 1, size, size))
    assert padded.sum() == size**2


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
