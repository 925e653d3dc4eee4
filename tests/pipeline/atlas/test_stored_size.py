import numpy as np
import pytest
import torch

from pipeline.atlas.stored_size import (
    LARGEST_BYTES,
    reduced_pixels,
    reduced_size,
    reduction,
)
from pipeline.network.architectures import Variant, build_chain
from pipeline.network.ops import Linear
from pipeline.project.stored_signal import reduced_signal
from tests.pipeline.network.small_graphs import chained, conv


def means(picture, factor):
    """Means of squares, one by one."""
    rows, cols = (range(0, side, factor) for side in picture.shape[:2])
    squares = [[picture[r : r + factor, c : c + factor] for c in cols] for r in rows]
    return np.array([[square.mean(axis=(0, 1)) for square in row] for row in squares])


@pytest.mark.parametrize("factor", [2, 3, 5])
def test_signals_are_reduced_to_means_of_squares_cut_off_at_the_end(factor):
    pictures = np.random.default_rng(0).normal(size=(2, 13, 10, 3))
    found = reduced_signal(torch.from_numpy(pictures), factor).numpy()
    assert found.shape[1:3] == reduced_size((13, 10), factor)
    np.testing.assert_allclose(found, [means(one, factor) for one in pictures], atol=1e-12)


@pytest.mark.parametrize("factor", [2, 3, 5])
def test_pixels_are_reduced_to_rounded_means(factor):
    pictures = np.random.default_rng(0).integers(0, 256, (2, 13, 10, 3), np.uint8)
    expected = np.floor([means(one.astype(float), factor) + 0.5 for one in pictures])
    assert np.array_equal(reduced_pixels(pictures, factor), expected)


def test_pictures_of_the_papers_layers_keep_their_size():
    graph = build_chain("zfnet", 1000, 224, Variant(1.0, {}, 4096, (), 0.0))
    convs = ["conv1", "conv2", "conv3", "conv4", "conv5"]
    assert [reduction(graph, layer, 9) for layer in convs] == [1] * 5


@pytest.mark.parametrize(("channels", "factor"), [(300, 2), (512, 2), (1024, 3), (2048, 4)])
def test_a_layer_that_sees_the_whole_image_stays_below_one_gigabyte(channels, factor):
    graph = chained((3, 224, 224), conv("conv", 4, 7, 32), ("wide", Linear("w", None), channels))
    assert reduction(graph, "wide", 9) == factor
    rows, cols = reduced_size((224, 224), factor)
    projections, crops, controls, examples = 9 * 2, 9, 2 * 2, 18
    size = channels * rows * cols * 3 * (projections + crops + controls + examples)
    assert size <= LARGEST_BYTES
    larger = reduced_size((224, 224), factor - 1)
    assert size / (rows * cols) * larger[0] * larger[1] > LARGEST_BYTES
