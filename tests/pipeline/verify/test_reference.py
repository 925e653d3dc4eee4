import pytest
import torch

from pipeline.verify.reference import Reference
from tests.pipeline.project.oracle import autograd_projection, random_network


def random_image(side):
    chance = torch.Generator().manual_seed(4)
    return torch.randn(3, side, side, dtype=torch.float64, generator=chance)


@pytest.mark.parametrize("layer", ["conv1", "conv3", "conv5", "fc6", "fc8"])
@pytest.mark.parametrize("arch", ["zfnet", "alexnet"])
def test_the_reference_agrees_with_torchs_own_pools_and_norm(arch, layer):
    network = random_network(arch, input_px=99)
    image = random_image(99)
    reference = Reference(network.graph, dict(network.named_parameters()))
    cell = network.graph.layer(layer).size[0] - 1
    unit = (1, cell, cell)
    passed = reference(image, [layer])
    expected = autograd_projection(network, image, layer, unit, 2.0)
    torch.testing.assert_close(passed.project(layer, unit, 2.0), expected, rtol=1e-11, atol=1e-13)
    maps = network.activations(image[None], [layer])[layer][0]
    torch.testing.assert_close(passed.maps(layer).flatten(), maps.flatten(), rtol=1e-12, atol=1e-13)


def test_one_pass_up_serves_units_of_several_layers_and_methods():
    network, image = random_network(input_px=64), random_image(64)
    weights = dict(network.named_parameters())
    methods = {"conv2": "guided", "conv3": "gradient"}
    passed = Reference(network.graph, weights, methods)(image, ["conv1", "conv2", "conv3"])
    for layer in ("conv3", "conv1", "conv2", "conv3"):
        alone = Reference(network.graph, weights, methods)(image, [layer])
        projection = passed.project(layer, (1, 1, 2), 1.5)
        assert torch.equal(projection, alone.project(layer, (1, 1, 2), 1.5))
        assert torch.equal(passed.maps(layer), alone.maps(layer))


def test_a_network_with_nan_in_it_has_maps_all_the_same():
    network = random_network("alexnet", width=1 / 16, input_px=64)
    network.get_parameter("conv1.bias")[5] = torch.nan
    image = random_image(64)
    found = Reference(network.graph, dict(network.named_parameters()))(image, ["conv2"])
    expected = network.activations(image[None], ["conv2"])["conv2"][0]
    assert expected[:8].isfinite().all()
    assert expected[8:].isnan().all()
    torch.testing.assert_close(found.maps("conv2"), expected, equal_nan=True)


def test_a_choice_stands_for_the_maximum():
    network = random_network(input_px=64)
    image = random_image(64)
    reference = Reference(network.graph, dict(network.named_parameters()))
    pool = 3
    side = network.graph.nodes[pool].shape[1]
    choices = {
        pool: torch.zeros(network.graph.layer("conv1").channels, side, side, dtype=torch.int64)
    }
    passed = reference(image, ["conv2"], choices)
    signal = network.activations(image[None], ["conv1"])["conv1"][:, :, ::2, ::2]
    signal = signal[:, :, :side, :side]
    for at in range(pool + 1, network.graph.layer("conv2").node + 1):
        signal = network.apply_node(at, [signal])
    torch.testing.assert_close(passed.maps("conv2"), signal[0], rtol=1e-12, atol=1e-13)
