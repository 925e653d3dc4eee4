from itertools import product

import numpy as np
import pytest
import torch

from pipeline.figures.occlusion import occlude
from pipeline.network.graph import Graph, Node
from pipeline.network.module import Network
from pipeline.network.normalisation import Normalisation
from pipeline.network.ops import Conv, Input, Linear
from pipeline.network.window import square
from tests.pipeline.figures.networks import small

NORMALISE = Normalisation(torch.zeros(3, 1, 1), torch.full((3, 1, 1), 1 / 255))


def looks_at(row: int, col: int) -> Network:
    """A network whose score of class 0 is the red of one pixel, and of class 1 is 0."""
    nodes = (
        Node(Input(), (), (3, 24, 24)),
        Node(Conv(square(1), "conv.weight"), (0,), (2, 24, 24), "conv"),
        Node(Linear("fc.weight"), (1,), (2, 1, 1), "fc"),
    )
    network = Network(Graph(nodes, 2)).requires_grad_(False)
    network.tensor("conv.weight")[0, 0] = 1.0
    network.tensor("fc.weight").view(2, 2, 24, 24)[0, 0, row, col] = 1.0
    return network


def test_the_map_of_a_network_that_looks_at_one_pixel_is_the_squares_footprint():
    pixels = np.full((24, 24, 3), 255, np.uint8)
    maps = occlude(looks_at(10, 13), NORMALISE, "conv", pixels, label=0, side=6, stride=2, value=0)
    covers = (maps.corner_rows <= 10) & (maps.corner_rows + 6 > 10)
    covers = covers[:, None] & (maps.corner_cols <= 13) & (maps.corner_cols + 6 > 13)
    seen = np.exp(1) / (np.exp(1) + 1)
    np.testing.assert_allclose(maps.probability, np.where(covers, 0.5, seen), rtol=1e-6)
    assert maps.probability_unchanged == np.float32(seen)
    assert maps.channel == 0
    np.testing.assert_allclose(maps.activation, 24 * 24 - 36, rtol=1e-6)
    assert maps.activation_unchanged == 24 * 24


def test_the_square_reaches_both_edges_with_stride_one():
    pixels = np.zeros((24, 24, 3), np.uint8)
    maps = occlude(looks_at(0, 0), NORMALISE, "conv", pixels, label=0, side=20, stride=1, value=9)
    assert maps.corner_rows.tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("arch", ["zfnet", "alexnet"])
def test_every_place_is_that_of_the_image_with_the_square_on_it(arch):
    network = small(arch, 96)
    rng = np.random.default_rng(3)
    pixels = rng.integers(0, 256, (96, 96, 3)).astype(np.uint8)
    maps = occlude(network, NORMALISE, "conv5", pixels, label=2, side=32, stride=3, value=128)
    assert maps.probability.shape == (22, 22)
    masked = np.repeat(pixels[None], 22 * 22, axis=0)
    for image, (top, left) in zip(masked, product(maps.corner_rows, maps.corner_cols), strict=True):
        image[top : top + 32, left : left + 32] = 128
    inputs = NORMALISE(torch.from_numpy(masked).permute(0, 3, 1, 2))
    scores = network(inputs).softmax(dim=1).view(22, 22, -1)
    totals = network.activations(inputs, ["conv5"])["conv5"][:, maps.channel].sum(dim=(1, 2))
    np.testing.assert_array_equal(maps.predicted, scores.argmax(dim=2))
    np.testing.assert_allclose(maps.probability, scores[..., 2], rtol=1e-4)
    np.testing.assert_allclose(maps.activation, totals.view(22, 22), rtol=1e-4)
