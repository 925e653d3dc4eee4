import numpy as np
import torch

from pipeline.network.module import Network
from pipeline.network.ops import MaxPool
from pipeline.network.window import square
from pipeline.project.method import recorded
from pipeline.project.switches import SwitchFinder
from tests.pipeline.network.small_graphs import RELU, chained, conv
from tests.pipeline.project.oracle import random_network


def test_of_equal_values_the_first_in_row_major_order_is_the_maximum():
    pool = MaxPool(square(3, 2))
    graph = chained((3, 9, 9), conv("conv1", 1, 1), RELU, pool, conv("conv2", 1, 1))
    network = Network(graph).requires_grad_(False)
    network.tensor("conv1.weight").copy_(torch.tensor([1.0, 0, 0]).view(1, 3, 1, 1))
    network.tensor("conv1.bias").zero_()
    values = np.random.default_rng(0).integers(-1, 3, (9, 9)).astype(np.float32)
    image = torch.from_numpy(values).expand(1, 3, 9, 9)
    found = SwitchFinder(network, finite=True).maps(image, [3])[3]
    for row, col in np.ndindex(4, 4):
        window = np.maximum(values, 0)[2 * row : 2 * row + 3, 2 * col : 2 * col + 3]
        assert int(found[row, col, 0]) == int(window.argmax())  # NumPy's is the first


def test_an_image_has_the_same_switches_whatever_else_is_projected():
    network = random_network(dtype=torch.float32)
    image = torch.randn(1, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    nodes = {layer: recorded(network.graph, layer, "deconvnet") for layer in ("conv2", "conv5")}
    shallow = SwitchFinder(network, finite=True).maps(image, nodes["conv2"])
    deep = SwitchFinder(network, finite=True).maps(image, nodes["conv5"])
    assert all(torch.equal(values, deep[at]) for at, values in shallow.items())


def test_nan_in_a_channel_leaves_those_alone_that_the_norm_does_not_add_it_to():
    network = random_network("alexnet", 1 / 16, 64, dtype=torch.float32)
    image = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    nodes = recorded(network.graph, "conv2", "deconvnet")
    (sound,) = SwitchFinder(network, finite=True).maps(image, nodes).values()
    network.conv1.bias[5] = torch.nan
    (found,) = SwitchFinder(network, finite=False).maps(image, nodes).values()
    assert torch.equal(found[:, :, :3], sound[:, :, :3])
