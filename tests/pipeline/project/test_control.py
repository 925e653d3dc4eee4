import dataclasses

import numpy as np
import pytest
import torch
from torch.nn import functional

from pipeline.network.card import load_card
from pipeline.network.model import load_model
from pipeline.network.module import Network
from pipeline.network.ops import BatchNorm, ChannelNorm, Curve, MapNorm, Scale
from pipeline.project.control import control_correlation, load_start, redrawn
from pipeline.storage.provenance import Provenance
from pipeline.storage.stores import DIMENSIONS, create_array, create_store
from tests.pipeline.network.small_graphs import chained, conv
from tests.pipeline.scan.worlds import make_model


def stored(folder, projection, control):
    """A layer of a store with these pictures."""
    layer = create_store(folder / "store", "projections", Provenance("w", "m")).create_group(
        "conv1"
    )
    for name, values in (("projection", projection), ("control", control)):
        dimensions = DIMENSIONS["projections"][name]
        array = create_array(layer, name, dimensions, values.shape, values.dtype.str)
        array[...] = values
    return layer


def pictures(channels, ranks, seed):
    return np.random.default_rng(seed).normal(size=(channels, ranks, 5, 5, 3)).astype(np.float16)


def test_the_correlation_is_the_mean_magnitude_over_the_pairs_of_the_first_ranks(tmp_path):
    projection, control = pictures(40, 4, 0), pictures(40, 2, 1)
    control[:, 0] -= projection[:, 0]
    expected = [
        abs(np.corrcoef(projection[c, r].ravel(), control[c, r].ravel())[0, 1])
        for c, r in np.ndindex(40, 2)
    ]
    layer = stored(tmp_path, projection, control)
    assert control_correlation(layer) == pytest.approx(np.mean(expected), rel=1e-6)


def test_equal_and_opposite_pictures_correlate_fully_and_blank_ones_are_left_out(tmp_path):
    projection = pictures(3, 2, 0)
    control = projection * np.float16(0.5)
    control[1], control[2] = -control[1], 0
    assert control_correlation(stored(tmp_path, projection, control)) == pytest.approx(1)


def test_blank_controls_alone_have_no_correlation(tmp_path):
    projection = pictures(3, 2, 0)
    assert control_correlation(stored(tmp_path, projection, np.zeros_like(projection))) is None


def test_weights_drawn_again_follow_the_rule_and_the_seed(tmp_path):
    make_model(tmp_path / "model", width=0.5)
    trained = load_model(tmp_path / "model").network.state_dict()
    first, again, other = (
        redrawn(load_model(tmp_path / "model"), seed).network.state_dict() for seed in (3, 3, 4)
    )
    for name, values in first.items():
        assert torch.equal(values, again[name])
        if values.ndim < 2:
            assert not values.any()
            continue
        assert not torch.equal(values, other[name])
        assert not torch.equal(values, trained[name])
        assert float(values.var()) == pytest.approx(2 / values[0].numel(), rel=0.1)
    draws = {tuple(values.flatten()[:3].tolist()) for values in first.values() if values.ndim > 1}
    assert len(draws) == len([1 for values in first.values() if values.ndim > 1])


def test_norms_change_nothing_in_weights_drawn_again(tmp_path):
    graph = chained(
        (3, 8, 8),
        conv("a", 4, 3),
        BatchNorm("b.mean", "b.var", "b.weight", "b.bias", 1e-3),
        Curve("relu"),
        conv("c", 6, 3),
        ChannelNorm("d.weight", "d.bias", 1e-5),
        Scale("e.factor", "e.shift"),
        MapNorm(2, "f.weight", "f.bias", 1e-5),
    )
    network = Network(graph).requires_grad_(False)
    for values in network.state_dict().values():
        values.uniform_(0.3, 3)
    make_model(tmp_path / "model")
    drawn = redrawn(dataclasses.replace(load_model(tmp_path / "model"), network=network), 0)
    image = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    weights = drawn.network.state_dict()
    first = functional.conv2d(image, weights["a.weight"]).relu() / 1.001**0.5
    second = functional.conv2d(first, weights["c.weight"]).movedim(1, 3)
    centred = functional.layer_norm(second, [6]).movedim(3, 1)
    assert float(first.std()) > 0.5
    torch.testing.assert_close(drawn.network(image), functional.group_norm(centred, 2))


def test_the_start_is_the_snapshot_where_there_is_one(tmp_path):
    make_model(tmp_path / "model")
    card = load_card(tmp_path / "model")
    drawn = load_start(tmp_path / "model", card.sha256, 0).network.state_dict()
    weights = load_model(tmp_path / "model").network.state_dict()
    assert not torch.equal(drawn["conv1.weight"], weights["conv1.weight"])
    snapshots = tmp_path / "model" / "snapshots"
    snapshots.mkdir()
    (snapshots / "epoch_000.safetensors").write_bytes(
        (tmp_path / "model" / "weights.safetensors").read_bytes()
    )
    start = load_start(tmp_path / "model", card.sha256, 0).network.state_dict()
    assert torch.equal(start["conv1.weight"], weights["conv1.weight"])
