import dataclasses

import numpy as np
import torch

from pipeline.project.maps import MapFinder, quantised
from tests.pipeline.figures.networks import joined
from tests.pipeline.scan.worlds import make_world


def test_levels_run_from_the_least_to_the_largest_value():
    maps = np.array([[[0.0, 1.0], [2.0, 4.0]], [[-1.0, -1.0], [0.0, 1.0]]], np.float32)
    levels, ends = quantised(maps)
    assert levels.tolist() == [[[0, 64], [128, 255]], [[0, 0], [128, 255]]]
    assert ends.tolist() == [[0, 4], [-1, 1]]


def test_a_constant_map_is_level_0_and_keeps_its_value():
    levels, ends = quantised(np.full((1, 2, 3), 2.5, np.float32))
    assert not levels.any()
    assert ends.tolist() == [[2.5, 2.5]]


def test_a_value_is_restored_to_half_a_level():
    maps = np.random.default_rng(0).gamma(0.3, 2.0, (5, 13, 13)).astype(np.float32)
    levels, ends = quantised(maps)
    least, extent = ends[:, :1, None], (ends[:, 1] - ends[:, 0])[:, None, None]
    assert levels.dtype == np.uint8
    assert np.abs(least + levels / 255.0 * extent - maps).max() <= extent.max() / 510 * (1 + 1e-4)


def test_the_maps_of_a_layer_outlive_a_sum_that_overwrites_them(tmp_path):
    """`a` is added to by the convolution above it, and then not needed by the network any more."""
    model = dataclasses.replace(make_world(tmp_path, 0).load(), network=joined())
    layers = ("a", "b", "d")
    image = torch.randn(1, 3, 40, 36, generator=torch.Generator().manual_seed(0))
    expected = model.network.activations(image, layers)
    channels = {layer: torch.tensor([2, 0, 2]) for layer in layers}
    found = MapFinder(model, layers, torch.device("cpu"))(image, channels)
    for layer in layers:
        torch.testing.assert_close(found[layer], expected[layer][0][channels[layer]])
