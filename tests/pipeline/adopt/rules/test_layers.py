import pytest
import torch
from torch import nn
from torch.nn import functional

from pipeline.adopt.read import read
from pipeline.adopt.trace import UnreadableError
from pipeline.network.ops import Conv, Linear
from pipeline.network.window import Window
from tests.pipeline.adopt.modules import INPUT, Lambda, drawn, last_op


def test_weights_that_are_computed_from_weights_alone_are_folded():
    class Standardised(nn.Conv2d):
        def forward(self, x):
            mean = self.weight.mean((1, 2, 3), keepdim=True)
            return functional.conv2d(x, self.weight - mean, self.bias)

    module = nn.Sequential(drawn(Standardised(3, 4, 3)))
    graph, weights = read(module, INPUT)
    assert [type(node.op) for node in graph.nodes[1:]] == [Conv]
    given = module[0].weight.double()
    expected = given - given.mean((1, 2, 3), keepdim=True)
    assert torch.equal(weights[graph.nodes[1].op.weight], expected)


def test_a_convolution_keeps_its_geometry_and_its_names():
    module = nn.Sequential(nn.Conv2d(3, 6, (3, 5), (2, 1), (1, 2), (2, 1), groups=3))
    assert last_op(module) == Conv(
        Window((3, 5), (2, 1), (1, 2), (2, 1)), "0.weight", "0.bias", groups=3
    )
    same = nn.Conv2d(3, 6, (4, 3), padding="same", bias=False)
    assert last_op(same) == Conv(Window((4, 3), before=(1, 1)), "weight")


def test_a_linear_layer_takes_the_whole_map_in_the_order_in_which_it_is_flattened():
    plain = drawn(nn.Sequential(nn.Flatten(), nn.Linear(12, 2)))
    graph, weights = read(plain, (3, 2, 2))
    assert graph.nodes[1].op == Linear("1.weight", "1.bias")
    assert torch.equal(weights["1.weight"], plain[1].weight)

    class ChannelsLast(nn.Sequential):
        def forward(self, x):
            return self[0](x.permute(0, 2, 3, 1).flatten(1))

    turned = drawn(ChannelsLast(nn.Linear(12, 2)))
    graph, weights = read(turned, (3, 2, 2))
    # The module's features are (row, col, channel), the graph's (channel, row, col).
    expected = turned[0].weight.reshape(2, 2, 2, 3).permute(0, 3, 1, 2).reshape(2, 12)
    assert torch.equal(weights[graph.nodes[1].op.weight], expected)


def test_a_convolution_along_the_features_of_a_vector_is_a_banded_matrix():
    def along(x):
        kernel = torch.tensor([[[1.0, 2.0, 4.0]]])
        return functional.conv1d(x.mean((2, 3))[:, None], kernel, padding=1)[:, 0]

    graph, weights = read(Lambda(along), (4, 2, 2))
    matrix = weights[graph.nodes[graph.output].op.weight]
    assert matrix.tolist() == [[2, 4, 0, 0], [1, 2, 4, 0], [0, 1, 2, 4], [0, 0, 1, 2]]


def test_weights_that_depend_on_the_image_are_refused():
    with pytest.raises(UnreadableError, match="weights that depend on the image"):
        last_op(Lambda(lambda x: functional.conv2d(x, x[:, :, :3, :3].relu())))
