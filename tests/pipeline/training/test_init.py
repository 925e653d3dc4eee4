import logging

import pytest
import torch
from safetensors.torch import save_file

from pipeline.dataset.torch_seeding import generator_for
from pipeline.errors import AtlasError
from pipeline.network.architectures import Variant, build_chain
from pipeline.network.module import Network
from pipeline.training.init import freeze, init_network, load_matching


def drawn(init: str = "he", classes: int = 3, seed: int = 0, width: float = 0.125) -> Network:
    graph = build_chain("alexnet", classes, 64, Variant(width))
    return init_network(graph, init, generator_for(seed, "start"))


def test_the_papers_start_has_a_standard_deviation_of_a_hundredth_and_no_bias():
    network = drawn("normal")
    for layer in network.graph.layers:
        weight = network.get_parameter(f"{layer}.weight")
        assert weight.std().item() == pytest.approx(0.01, rel=0.1), layer
        assert not network.get_parameter(f"{layer}.bias").any()


@pytest.mark.parametrize(
    ("layer", "inputs"), [("conv1", 3 * 11 * 11), ("conv2", 6 * 5 * 5), ("fc7", 512)]
)
def test_hes_start_divides_two_by_the_inputs_of_a_unit_of_its_group(layer, inputs):
    weight = drawn().get_parameter(f"{layer}.weight")
    assert weight.std().item() == pytest.approx((2 / inputs) ** 0.5, rel=0.05)


def test_the_same_seed_starts_alike_and_another_does_not():
    first, same, other = drawn(), drawn(), drawn(seed=1)
    assert torch.equal(first.conv3.weight, same.conv3.weight)
    assert not torch.equal(first.conv3.weight, other.conv3.weight)


def test_layers_that_fit_are_taken_over_and_the_others_are_named(tmp_path, caplog):
    path, source = tmp_path / "w.safetensors", drawn(classes=5, seed=1)
    save_file(source.state_dict(), path)
    network = drawn(classes=3)
    fresh = network.fc8.weight.detach().clone()
    with caplog.at_level(logging.INFO):
        load_matching(network, path, 1.0, frozen=["conv1", "fc7"])
    assert torch.equal(network.fc7.weight, source.fc7.weight)
    assert torch.equal(network.fc8.weight, fresh)
    assert "fc8.weight is (5, 512), not (3, 512)" in caplog.text


def test_torchvisions_first_layer_is_taken_over_for_inputs_of_the_networks_scale(tmp_path):
    path, network = tmp_path / "w.pth", drawn()
    weight, bias = torch.randn(12, 3, 11, 11), torch.randn(12)
    torch.save({"features.0.weight": weight, "features.0.bias": bias}, path)
    load_matching(network, path, 0.25, frozen=["conv1"])
    for colour, deviation in enumerate((0.229 * 255, 0.224 * 255, 0.225 * 255)):
        expected = weight[:, colour] / (deviation * 0.25)
        torch.testing.assert_close(network.conv1.weight[:, colour], expected)
    assert torch.equal(network.conv1.bias, bias)


def test_a_frozen_layer_that_does_not_fit_is_an_error(tmp_path):
    path = tmp_path / "w.safetensors"
    save_file(drawn(classes=5).state_dict(), path)
    with pytest.raises(AtlasError, match=r"fc8.*fc8.bias is \(5,\), not \(3,\)"):
        load_matching(drawn(classes=3), path, 1.0, frozen=["fc8"])


def test_a_file_that_fits_nowhere_is_an_error(tmp_path):
    path = tmp_path / "w.safetensors"
    save_file({"conv1.weight": torch.zeros(2, 2)}, path)
    with pytest.raises(AtlasError, match="fits no layer"):
        load_matching(drawn(), path, 1.0, frozen=[])


def test_a_layer_that_would_be_taken_over_must_be_of_finite_numbers(tmp_path):
    path, source = tmp_path / "w.safetensors", drawn(classes=5).state_dict()
    network = drawn(classes=3)
    before = network.conv1.weight.detach().clone()
    source["fc8.bias"][:] = float("nan")  # of another shape: not taken over
    save_file(source, path)
    load_matching(network, path, 1.0, frozen=[])
    source["conv1.bias"][1] = float("inf")
    save_file(source, path)
    fresh = drawn(classes=3)
    with pytest.raises(AtlasError, match=r"conv1\.bias is NaN or infinite in 1 of"):
        load_matching(fresh, path, 1.0, frozen=[])
    assert torch.equal(fresh.conv1.weight, before)


def test_an_unknown_layer_cannot_be_frozen():
    with pytest.raises(AtlasError, match="conv9"):
        freeze(drawn(), ["conv9"])


def test_something_must_learn():
    network = drawn()
    with pytest.raises(AtlasError, match="every layer"):
        freeze(network, network.graph.layers)
