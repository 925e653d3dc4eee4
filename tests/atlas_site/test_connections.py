import numpy as np
import pytest

from atlas_site.connections import Weights, connected, expanded, products, strongest, through
from pipeline.atlas import open_atlas
from pipeline.workspace import Workspace


def by_hand() -> Weights:
    """Two channels above three below, kernels of 1 × 2."""
    kernels = np.zeros((2, 3, 1, 2), np.float32)
    kernels[0, 0] = [[3, 4]]
    kernels[0, 1] = [[-1, 0]]
    kernels[1, 2] = [[0, 2]]
    return Weights("low", "high", kernels, np.array([1.0, 10.0, 0.5]))


def test_strength_is_the_filter_s_length_times_the_mean_peak_below_with_its_sign():
    assert by_hand().strengths.tolist() == [[5.0, -10.0, 0.0], [0.0, 0.0, 1.0]]


def test_incoming_and_outgoing_come_strongest_first_without_those_of_weight_zero():
    weights = by_hand()
    assert [(c.layer, c.channel, c.strength) for c in weights.incoming(0)] == [
        ("low", 1, -10.0),
        ("low", 0, 5.0),
    ]
    assert [(c.layer, c.channel, c.strength) for c in weights.outgoing(2)] == [("high", 1, 1.0)]
    assert weights.incoming(0)[1].kernel.tolist() == [[3, 4]]


def test_of_equal_magnitudes_the_lower_number_comes_first():
    assert strongest(np.array([2.0, -3.0, 3.0, 0.0])) == [1, 2, 0]


def test_paths_through_a_layer_are_the_composition_of_both_convolutions():
    rng = np.random.default_rng(0)
    lower = Weights("a", "b", rng.normal(size=(4, 3, 3, 3)).astype(np.float32), np.ones(3))
    upper = Weights("b", "c", rng.normal(size=(2, 4, 2, 2)).astype(np.float32), np.ones(4))
    both = through(lower, upper)
    expected = np.zeros((2, 3, 4, 4))
    for o, m, i in np.ndindex(2, 4, 3):
        for r, c in np.ndindex(2, 2):
            expected[o, i, r : r + 3, c : c + 3] += upper.kernels[o, m, r, c] * lower.kernels[m, i]
    np.testing.assert_allclose(both.kernels, expected, rtol=1e-4, atol=1e-5)
    assert (both.below, both.above) == ("a", "c")


def chain(below: str, above: str, kernels: list) -> Weights:
    """Filters of one tap between two layers whose channels all send 1."""
    values = np.array(kernels, np.float32)[..., None, None]
    return Weights(below, above, values, np.ones(values.shape[1]))


def test_paths_go_both_ways_and_say_which_layer_is_between():
    """Two layers between a and d: by b the product of 2 and 3, by c that of 5 and −7."""
    weights = [
        chain("a", "b", [[2]]),
        chain("a", "c", [[5]]),
        chain("b", "d", [[3]]),
        chain("c", "d", [[-7]]),
    ]
    found = expanded(weights)
    assert [(p.below, p.above) for p in found.paths] == [("a", "d"), ("a", "d")]
    for side, layer in (("incoming", "a"), ("outgoing", "d")):
        ends = [getattr(paths, side)[0][0] for paths in found.paths]
        assert [(c.layer, c.channel, c.strength, c.via) for c in ends] == [
            (layer, 0, 6, "b"),
            (layer, 0, -35, "c"),
        ]
    assert found.skipped == []


def test_paths_of_too_many_products_are_named(monkeypatch):
    lower, upper = chain("a", "b", [[1, 2], [3, 4], [5, 6]]), chain("b", "c", [[1, 2, 3]])
    assert products(lower, upper) == 1 * 3 * 2
    monkeypatch.setattr("atlas_site.connections.MOST_PRODUCTS", 5)
    found = expanded([lower, upper])
    assert (found.paths, found.skipped) == ([], [("a", "b", "c")])


def test_neighbouring_scanned_layers_are_connected_by_the_model_s_own_weights(run: Workspace):
    atlas = open_atlas(run.artifacts)
    pairs = connected(atlas)
    assert [(w.below, w.above) for w in pairs] == [("conv1", "conv2"), ("conv2", "conv3")]
    weights = atlas.model().tensor("conv3.weight").numpy()
    np.testing.assert_array_equal(pairs[1].kernels, weights)


def test_mean_peaks_weigh_classes_by_their_images(run: Workspace):
    atlas = open_atlas(run.artifacts)
    by_class = atlas.scan("conv1").mean_peak_by_class.astype(float)
    assert connected(atlas)[0].mean_peak == pytest.approx(by_class.mean(axis=1), rel=1e-6)
