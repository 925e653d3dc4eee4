import itertools

import numpy as np
import pytest
import torch

from pipeline.network.architectures import Variant, build_chain
from pipeline.network.geometry import AxisWindow
from pipeline.project.patch_similarity import (
    ENTRY_BYTES,
    FeedingMap,
    feature_count,
    patch_similarity,
    sources_of,
)


def of_pairs(vectors):
    """The definition: entries (rank, cell, channel) of one channel, a loop over pairs."""
    pairs = itertools.combinations(vectors.astype(np.float64), 2)
    return np.mean([1 - np.square(a - b).sum(axis=1).mean() / 2 for a, b in pairs])


@pytest.mark.parametrize(
    ("patches", "expected"),
    [
        ([[1, 0], [1, 0]], 1),
        ([[1, 0], [0, 1]], 0),
        ([[1, 0], [-1, 0]], -1),
        ([[0.6, 0.8], [1, 0]], 0.6),
        ([[1, 0], [0, 0]], 0.5),
        ([[0, 0], [0, 0]], 1),
        ([[1, 0], [1, 0], [0, 1]], 1 / 3),
        ([[1, 0]], np.nan),
        ([], np.nan),
    ],
)
def test_it_is_the_mean_cosine_of_pairs_where_both_fire(patches, expected):
    vectors = np.zeros((1, 3, 2), np.float16)
    vectors[0, : len(patches)] = np.array(patches).reshape(-1, 2)
    found = patch_similarity(vectors, np.array([len(patches)]), cells=1)
    assert found.dtype == np.float32
    assert found.tolist() == pytest.approx([expected], abs=1e-3, nan_ok=True)


def test_it_is_the_mean_over_cells_and_pairs_of_the_entries_there_are():
    rng, entries = np.random.default_rng(0), [9, 2, 5]
    vectors = rng.normal(size=(3, 9, 6, 4))
    vectors /= np.linalg.norm(vectors, axis=3, keepdims=True)
    vectors[rng.random((3, 9, 6)) < 0.3] = 0
    for channel, count in enumerate(entries):
        vectors[channel, count:] = 0
    found = patch_similarity(vectors.astype(np.float16).reshape(3, 9, 24), np.array(entries), 6)
    expected = [of_pairs(vectors[channel, :count]) for channel, count in enumerate(entries)]
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_vectors_are_those_under_the_window_0_off_the_map_and_of_length_1():
    maps = torch.zeros(2, 3, 3)
    maps[:, 0, 0] = torch.tensor([3.0, 4.0]) * 1e-30
    maps[:, 0, 1] = torch.tensor([0.0, -7.0])
    axis = AxisWindow(start=-1, jump=2, size=3, cells=3)
    source = FeedingMap(0, 2, (axis, axis), (torch.arange(3), torch.arange(3)))
    found = source.vectors(maps, torch.tensor([[0, 0], [0, 1]]))
    assert found.dtype == np.float16
    first = np.zeros((3, 3, 2))
    first[1, 1], first[1, 2] = (0.6, 0.8), (0, -1)
    second = np.zeros((3, 3, 2))
    second[1, 0] = (0, -1)
    np.testing.assert_allclose(found.reshape(2, 3, 3, 2), [first, second], atol=1e-3)


def test_the_cells_of_a_window_are_all_or_evenly_spaced_and_fit_the_bytes():
    graph = build_chain("zfnet", 10, 224, Variant(1.0, {}, 4096, (), 0.0))
    kept = {
        layer: [(source.channels, *(places.tolist() for places in source.places))]
        for layer in ("conv1", "conv2", "conv5", "fc7")
        for source in sources_of(graph, layer)
    }
    assert kept == {
        "conv1": [(3, list(range(7)), list(range(7)))],
        "conv2": [(96, [0, 2, 4, 6, 8, 10], [0, 2, 4, 6, 8, 10])],
        "conv5": [(384, [0, 1, 2], [0, 1, 2])],
        "fc7": [(4096, [0], [0])],
    }
    for layer in graph.layers:
        assert 2 * feature_count(sources_of(graph, layer)) <= ENTRY_BYTES
