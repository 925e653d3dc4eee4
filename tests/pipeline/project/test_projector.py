"""Stored projections against autograd on the whole image."""

import numpy as np
import torch

from pipeline.atlas.layer_entries import LayerEntries
from pipeline.network.receptive_field import receptive_field
from pipeline.project.projector import Projector
from tests.pipeline.project.oracle import autograd_projection, random_network, under_box

CELLS = np.array([[0, 3], [4, 4], [5, 1]], np.int32)
CPU = torch.device("cpu")


def found(activation=(2.0, 1.0, 3.0)):
    return LayerEntries(
        np.array([1, 5, 7]),
        np.array([0, 0, 1]),
        np.array([0, 0, 4], np.int32),
        CELLS,
        np.array(activation, np.float32),
    )


def images():
    chance = torch.Generator().manual_seed(0)
    return {row: torch.randn(1, 3, 96, 96, generator=chance) for row in (0, 4)}


def projected(reduction=1, **entries):
    network = random_network(dtype=torch.float32)
    projector = Projector(
        network, {"conv2": "deconvnet"}, 2, finite=True, reductions={"conv2": reduction}
    )
    return network, projector({"conv2": found(**entries)}, images(), CPU)["conv2"]


def test_a_projection_times_its_scale_is_the_one_of_the_whole_image():
    network, values = projected()
    boxes = receptive_field(network.graph, "conv2").boxes(CELLS)
    for at, (channel, row) in enumerate(zip((1, 5, 7), (0, 0, 4), strict=True)):
        unit, start = (channel, *CELLS[at].tolist()), found().activation[at]
        whole = autograd_projection(network, images()[row][0], "conv2", unit, start)
        expected = under_box(whole, boxes[at].tolist()).numpy()
        scale, picture = values.arrays["scale"][at], values.arrays["projection"][at]
        assert np.abs(picture).max() == 1
        np.testing.assert_allclose(scale, np.abs(expected).max(), rtol=1e-4)
        error = np.linalg.norm(picture.astype(np.float32) * scale - expected)
        assert error <= 2e-3 * np.linalg.norm(expected)


def test_entries_keep_their_channel_and_rank():
    _, values = projected()
    assert values.channel.tolist() == [1, 5, 7]
    assert values.rank.tolist() == [0, 0, 1]


def test_a_unit_that_starts_at_0_has_an_empty_projection_of_scale_0():
    _, values = projected(activation=(2.0, 0.0, 3.0))
    assert values.arrays["scale"][1] == 0
    assert not values.arrays["projection"][1].any()
    assert values.arrays["scale"][[0, 2]].all()


def test_a_reduced_picture_is_the_mean_of_squares_of_pixels():
    _, whole = projected()
    _, small = projected(reduction=2)
    picture = whole.arrays["projection"][0].astype(np.float32) * whole.arrays["scale"][0]
    means = picture[:26, :26].reshape(13, 2, 13, 2, 3).mean(axis=(1, 3))
    reduced = small.arrays["projection"][0].astype(np.float32) * small.arrays["scale"][0]
    assert reduced.shape == (14, 14, 3)
    np.testing.assert_allclose(reduced[:13, :13], means, atol=2e-3 * np.abs(picture).max())
