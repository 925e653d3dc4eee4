import dataclasses

import torch

from pipeline.project.maps import MapFinder
from tests.pipeline.figures.networks import joined
from tests.pipeline.scan.worlds import make_world


def test_the_maps_of_a_layer_outlive_a_sum_that_overwrites_them(tmp_path):
    """`a` is added to by the convolution above it, and then not needed by the network any more."""
    model = dataclasses.replace(make_world(tmp_path, 0).load(), network=joined())
    layers = ("a", "b", "d")
    image = torch.randn(1, 3, 40, 36, generator=torch.Generator().manual_seed(0))
    expected = model.network.activations(image, layers)
    nodes = {model.graph.layer(layer).node: layer for layer in layers}
    finder = MapFinder(model, nodes, torch.device("cpu"))
    found = {nodes[node]: maps.clone() for node, maps in finder(image, nodes)}
    assert set(found) == set(layers)
    for layer in layers:
        torch.testing.assert_close(found[layer], expected[layer][0])
