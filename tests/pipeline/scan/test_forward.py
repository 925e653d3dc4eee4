"""The fast forward pass against the network's own."""

import numpy as np
import pytest
import torch

from pipeline.scan.forward import Forward
from tests.pipeline.scan.worlds import make_world

CPU = torch.device("cpu")


def maps_of(forward, squares):
    found = {}
    for layer, position, maps in forward.run(iter(squares), len(squares)):
        assert position == sum(len(part) for part in found.get(layer, []))
        found.setdefault(layer, []).append(maps.maps.clone())
    return {layer: torch.cat(parts) for layer, parts in found.items()}


@pytest.mark.parametrize("arch", ["zfnet", "alexnet"])
@pytest.mark.parametrize(("crop", "count"), [(64, 5), (97, 1), (224, 7)])
def test_every_layer_equals_the_network_s_own(tmp_path, arch, crop, count):
    model = make_world(tmp_path, 0, arch=arch, crop=crop, width=0.25).load()
    squares = np.random.default_rng(0).integers(0, 256, (count, crop, crop, 3), dtype=np.uint8)
    inputs = model.normalisation(torch.from_numpy(squares).movedim(-1, 1))
    expected = model.network.activations(inputs, model.graph.layers)
    found = maps_of(Forward(model, model.graph.layers, count, CPU), squares)
    assert list(expected) == sorted(found)
    for layer, maps in found.items():
        reference = expected[layer].reshape(maps.shape)
        assert torch.linalg.vector_norm(maps - reference) <= 1e-5 * torch.linalg.vector_norm(
            reference
        )


def test_nothing_above_the_last_wanted_layer_is_run(tmp_path):
    model = make_world(tmp_path, 0).load()
    for above in ("conv3", "conv4", "conv5", "fc6", "fc7", "fc8"):
        model.network.get_submodule(above).weight.data = torch.empty(0)
    squares = np.zeros((2, 64, 64, 3), np.uint8)
    assert list(maps_of(Forward(model, ["conv2"], 2, CPU), squares)) == ["conv2"]


def test_the_place_in_a_batch_does_not_change_a_bit(tmp_path):
    model = make_world(tmp_path, 0, width=0.25, crop=224).load()
    forward = Forward(model, model.graph.conv_layers, 32, CPU)
    squares = np.random.default_rng(0).integers(0, 256, (11, 224, 224, 3), dtype=np.uint8)
    whole, again = maps_of(forward, squares), maps_of(forward, squares[::-1])
    for layer, maps in whole.items():
        assert torch.equal(maps, again[layer].flip(0))
