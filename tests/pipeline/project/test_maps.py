import dataclasses

import torch

from pipeline.network.graph import Graph, Node
from pipeline.network.ops import Add, Conv, Curve, Input
from pipeline.network.window import square
from pipeline.project.maps import MapFinder
from tests.pipeline.figures.networks import drawn
from tests.pipeline.scan.worlds import make_world


def summed():
    """A network whose first layer is one addend of a sum."""
    same = square(3, padding=1)
    nodes = (
        Node(Input(), (), (3, 40, 36)),
        Node(Conv(square(5, 2, 2), "a.weight", "a.bias"), (0,), (8, 20, 18), "a"),
        Node(Curve("relu"), (1,), (8, 20, 18), "a"),
        Node(Conv(same, "b.weight"), (2,), (8, 20, 18), "b"),
        Node(Add(), (2, 3), (8, 20, 18), "sum"),
        Node(Conv(same, "c.weight"), (4,), (6, 20, 18), "c"),
    )
    return drawn(Graph(nodes, 5))


def test_the_maps_of_a_layer_outlive_a_sum_that_overwrites_them(tmp_path):
    """`a` is added to by the convolution above it, and then not needed by the network any more."""
    model = dataclasses.replace(make_world(tmp_path, 0).load(), network=summed())
    layers = ("a", "b", "c")
    image = torch.randn(1, 3, 40, 36, generator=torch.Generator().manual_seed(0))
    expected = model.network.activations(image, layers)
    nodes = {model.graph.layer(layer).node: layer for layer in layers}
    finder = MapFinder(model, nodes, torch.device("cpu"))
    found = {nodes[node]: maps.clone() for node, maps in finder(image, nodes)}
    assert set(found) == set(layers)
    for layer in layers:
        torch.testing.assert_close(found[layer], expected[layer][0])
