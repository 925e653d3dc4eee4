import numpy as np
import pytest

from atlas_site.connections import Weights
from atlas_site.weight_similarity import cosines, filter_vectors, most_alike


def weights(kernels: list, mean_peak: list) -> Weights:
    return Weights("low", "high", np.array(kernels, np.float32), np.array(mean_peak, float))


def test_a_weight_counts_by_the_mean_peak_of_the_channel_below():
    found = filter_vectors([weights([[[[1, 2]], [[3, 4]]]], [10, 0.5])])
    assert found.tolist() == [[10, 20, 1.5, 2]]


def test_the_filters_from_all_layers_below_make_one_vector():
    both = [weights([[[[1]]], [[[2]]]], [1]), weights([[[[3]]], [[[4]]]], [2])]
    assert filter_vectors(both).tolist() == [[1, 6], [2, 8]]


def test_cosines_are_those_of_the_angles():
    vectors = np.array([[1, 0], [2, 2], [-3, 0], [0, 0]], np.float32)
    root = 1 / np.sqrt(2)
    expected = [[1, root, -1, 0], [root, 1, -root, 0], [-1, -root, 1, 0], [0, 0, 0, 0]]
    assert cosines(vectors) == pytest.approx(np.array(expected), abs=1e-6)


def test_the_most_alike_are_alive_of_positive_cosine_and_never_the_channel_itself():
    cosine = np.eye(6)
    cosine[0] = [1, 0.5, 0.5, 0.9, -0.2, 0.7]
    alive = np.array([True, True, True, False, True, True])
    assert most_alike(cosine, alive, 0, 3) == [5, 1, 2]
    assert most_alike(cosine, alive, 0, 9) == [5, 1, 2]
