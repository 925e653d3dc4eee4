"""The forward pass over any graph against the network's own."""

import dataclasses

import numpy as np
import pytest
import torch

from pipeline.network.module import Network
from pipeline.network.ops import Conv, Curve, Linear, MaxPool, square
from pipeline.scan.forward import Forward
from pipeline.scan.graph_forward import GraphForward, forward_of, is_plain_chain
from tests.pipeline.network.small_graphs import RELU, chained, conv, joined
from tests.pipeline.project.oracle import with_random_weights
from tests.pipeline.scan.worlds import make_world

CPU = torch.device("cpu")
SQUARES = np.random.default_rng(0).integers(0, 256, (5, 33, 27, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A network with branches."""
    network = with_random_weights(Network(joined()).eval(), torch.Generator().manual_seed(0))
    plain = make_world(tmp_path_factory.mktemp("plain") / "world", 0).load()
    return dataclasses.replace(plain, network=network)


def test_every_layer_is_the_network_s_own_whatever_the_slices(model):
    inputs = model.normalisation(torch.from_numpy(SQUARES).movedim(-1, 1))
    with torch.no_grad():
        expected = model.network.activations(inputs, model.graph.layers)
    for images in (2, 5):
        forward = GraphForward(model, model.graph.layers, 8, CPU)
        forward.slice_images = images
        found: dict[str, list[torch.Tensor]] = {}
        for layer, position, maps in forward.run(iter(SQUARES), 5):
            assert position == sum(map(len, found.get(layer, [])))
            found.setdefault(layer, []).append(maps.maps.clone())
        assert set(found) == set(model.graph.layers)
        for layer, parts in found.items():
            whole = torch.cat(parts)
            torch.testing.assert_close(
                whole, expected[layer].reshape(whole.shape), rtol=1e-4, atol=1e-4
            )


def test_the_outputs_are_the_scores_of_each_square(model):
    forward = GraphForward(model, ["head"], 8, CPU)
    forward.slice_images = 2
    parts = [part.clone() for part in forward.outputs(iter(SQUARES), 5)]
    assert [len(part) for part in parts] == [2, 2, 1]
    with torch.no_grad():
        expected = model.network(model.normalisation(torch.from_numpy(SQUARES).movedim(-1, 1)))
    torch.testing.assert_close(torch.cat(parts).flatten(1), expected.flatten(1))


def test_on_a_cpu_the_slices_depend_on_the_network_alone(model):
    sizes = {GraphForward(model, ["head"], batch, CPU).slice_images for batch in (1, 8, 64)}
    assert len(sizes) == 1


PLAIN = (conv("a", 4, 3), RELU, MaxPool(square(2, 2)), ("b", Linear("w"), 4))


@pytest.mark.parametrize(
    ("links", "plain"),
    [
        (PLAIN, True),
        ((*PLAIN, Curve("sigmoid")), False),
        ((("a", Conv(square(3), "a.weight"), 4), RELU), False),
        ((("b", Linear("w", per_cell=True), 4),), False),
    ],
)
def test_a_plain_chain_has_the_papers_operations_alone(links, plain):
    assert is_plain_chain(chained((3, 8, 8), *links)) == plain


def test_a_network_with_branches_takes_the_general_pass_and_a_chain_the_fast_one(model, tmp_path):
    assert isinstance(forward_of(model, ["stem"], 8, CPU), GraphForward)
    chain = make_world(tmp_path, 0).load()
    assert isinstance(forward_of(chain, ["conv1"], 8, CPU), Forward)
