import numpy as np
import pytest
import torch

from pipeline.network.architectures import Variant, build_chain
from pipeline.network.chain import Chain, ContrastNorm, Conv, MaxPool
from pipeline.network.module import Network, complete_windows


def applied(op: ContrastNorm | MaxPool, maps: torch.Tensor) -> torch.Tensor:
    network = Network(Chain(maps.shape[-1], maps.shape[1], (op,)))
    return network.apply_op(op, maps)


def test_contrast_norm_follows_the_papers_formula():
    op = ContrastNorm(channels=5, alpha=0.1, beta=0.75, k=2.0)
    maps = torch.rand(1, 7, 2, 2, generator=torch.Generator().manual_seed(0))
    got = applied(op, maps)[0].numpy()
    values = maps[0].numpy().astype(np.float64)
    for channel in range(7):
        near = values[max(0, channel - 2) : channel + 3]
        expected = values[channel] / (2 + 0.1 * (near**2).sum(axis=0)) ** 0.75
        np.testing.assert_allclose(got[channel], expected, rtol=1e-5)


def test_a_pool_counts_what_its_last_window_reaches():
    maps = torch.arange(16.0).reshape(1, 1, 4, 4)
    pooled = applied(MaxPool(kernel=3, stride=2), maps)
    assert pooled.tolist() == [[[[10.0, 11.0], [14.0, 15.0]]]]


@pytest.mark.parametrize(("size", "side"), [(7, 7), (8, 9), (9, 9), (10, 11)])
def test_zeros_complete_the_last_window_on_the_right_and_bottom_only(size, side):
    padded = complete_windows(Conv("conv1", 1, 1, kernel=3, stride=2), torch.ones(1, 1, size, size))
    assert padded.shape[-2:] == (side, side)
    assert torch.equal(padded[..., :size, :size], torch.ones(1, 1, size, size))
    assert padded.sum() == size**2


@pytest.mark.parametrize("input_px", range(60, 76))
@pytest.mark.parametrize("arch", ["zfnet", "alexnet"])
def test_the_forward_pass_has_the_sizes_that_the_chain_says_at_any_input(arch, input_px):
    network = Network(build_chain(arch, 3, input_px, Variant(width=0.0625))).eval()
    with torch.no_grad():
        maps = network.activations(torch.zeros(1, 3, input_px, input_px), network.chain.layers)
    for layer, values in maps.items():
        side = network.chain.map_size(layer)
        assert values.shape[1] == network.chain.channels(layer)
        assert list(values.shape[2:]) in ([side, side], [])


def test_activations_are_taken_after_the_relu_and_before_pool_and_norm():
    network = Network(build_chain("zfnet", 3, 64, Variant(width=0.0625))).eval()
    inputs = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    maps = network.activations(inputs, ["conv1", "fc7", "fc8"])
    conv1 = network.conv1(torch.nn.functional.pad(inputs, (0, 1, 0, 1)))
    torch.testing.assert_close(maps["conv1"], conv1.clamp(min=0))
    assert maps["fc7"].min() == 0
    torch.testing.assert_close(maps["fc8"], network(inputs))
    torch.testing.assert_close(maps["fc8"], network.fc8(maps["fc7"]))


def test_dropout_acts_in_training_only():
    network = Network(build_chain("zfnet", 3, 64, Variant(width=0.0625)))
    inputs = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    assert not torch.equal(network.train()(inputs), network(inputs))
    assert torch.equal(network.eval()(inputs), network(inputs))


def test_weights_are_named_by_layer_and_laid_out_out_in_row_col():
    state = Network(build_chain("alexnet", 5, 64, Variant(width=0.125))).state_dict()
    assert list(state)[:2] == ["conv1.weight", "conv1.bias"]
    assert state["conv2.weight"].shape == (32, 6, 5, 5)
