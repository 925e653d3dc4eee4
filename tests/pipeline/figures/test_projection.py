"""The projection of one unit, in its place on the image, against whole images through autograd."""

import numpy as np
import pytest
import torch

from pipeline.figures.projection import box_of, project_unit
from tests.pipeline.project.oracle import autograd_projection, random_network


@pytest.mark.parametrize("layer", ["conv1", "conv3"])
@pytest.mark.parametrize("corner", [0, -1])
def test_a_unit_is_projected_in_its_place(layer, corner):
    network = random_network(dtype=torch.float32)
    image = torch.randn(1, 3, 96, 96, generator=torch.Generator().manual_seed(2))
    maps = network.activations(image, [layer])[layer][0]
    cell = (maps.shape[1] - 1 if corner else 0, maps.shape[2] - 1 if corner else 0)
    channel = int(maps[:, cell[0], cell[1]].argmax())
    found = project_unit(network, image, layer, channel, cell, 2.0, "deconvnet")
    unit = (channel, *cell)
    expected = autograd_projection(network, image[0], layer, unit, 2.0).numpy()
    assert np.abs(expected).max() > 0
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * np.abs(expected).max())
    top, left, bottom, right = box_of(network, layer, cell)
    outside = np.ones(found.shape[:2], bool)
    outside[max(0, top) : max(0, bottom), max(0, left) : max(0, right)] = False
    assert not found[outside].any()
