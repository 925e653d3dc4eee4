"""The fast forward pass against the network's own."""

import dataclasses

import numpy as np
import pytest
import torch

from pipeline.network.graph import Graph, Node
from pipeline.network.module import Network
from pipeline.network.ops import Add, BatchNorm, Conv, Curve, Input, MaxPool
from pipeline.network.window import square
from pipeline.scan.forward import Forward
from tests.pipeline.network.small_graphs import joined
from tests.pipeline.project.oracle import with_random_weights
from tests.pipeline.scan.worlds import make_world

CPU = torch.device("cpu")


def maps_of(forward, squares):
    found = {}
    for layer, position, maps in forward.run(iter(squares), len(squares)):
        assert position == sum(len(part) for part in found.get(layer, []))
        found.setdefault(layer, []).append(maps.maps.clone())
    return {layer: torch.cat(parts) for layer, parts in found.items()}


@pytest.mark.parametrize("arch", ["zfnet", "alexnet"])
@pytest.mark.parametrize(("crop", "count"), [(64, 5), (97, 1), (224, 7)])
def test_every_layer_equals_the_network_s_own(tmp_path, arch, crop, count):
    model = make_world(tmp_path, 0, arch=arch, crop=crop, width=0.25).load()
    squares = np.random.default_rng(0).integers(0, 256, (count, crop, crop, 3), dtype=np.uint8)
    inputs = model.normalisation(torch.from_numpy(squares).movedim(-1, 1))
    expected = model.network.activations(inputs, model.graph.layers)
    found = maps_of(Forward.of_layers(model, model.graph.layers, count, CPU), squares)
    assert list(expected) == sorted(found)
    for layer, maps in found.items():
        reference = expected[layer].reshape(maps.shape)
        assert torch.linalg.vector_norm(maps - reference) <= 1e-5 * torch.linalg.vector_norm(
            reference
        )


def test_nothing_above_the_last_wanted_layer_is_run(tmp_path):
    model = make_world(tmp_path, 0).load()
    for above in ("conv3", "conv4", "conv5", "fc6", "fc7", "fc8"):
        model.network.get_submodule(above).weight.data = torch.empty(0)
    squares = np.zeros((2, 64, 64, 3), np.uint8)
    assert list(maps_of(Forward.of_layers(model, ["conv2"], 2, CPU), squares)) == ["conv2"]


def test_the_place_in_a_batch_does_not_change_a_bit(tmp_path):
    model = make_world(tmp_path, 0, width=0.25, crop=224).load()
    forward = Forward.of_layers(model, model.graph.conv_layers, 32, CPU)
    squares = np.random.default_rng(0).integers(0, 256, (11, 224, 224, 3), dtype=np.uint8)
    whole, again = maps_of(forward, squares), maps_of(forward, squares[::-1])
    for layer, maps in whole.items():
        assert torch.equal(maps, again[layer].flip(0))


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """Any model: its normalisation serves others."""
    return make_world(tmp_path_factory.mktemp("plain") / "world", 0).load()


def branched(plain, graph=None):
    """A model with branches, norms and a gate."""
    network = Network(graph or joined()).eval()
    made = with_random_weights(network, torch.Generator().manual_seed(0))
    for name, values in made.state_dict().items():
        if name.endswith((".mean", ".var")):
            values.fill_(name.endswith(".var"))
    return dataclasses.replace(plain, network=made)


def squares_for(graph, count):
    shape = (count, *graph.nodes[0].shape[1:], 3)
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def assert_same_maps(model, layers, count, slices):
    squares = squares_for(model.graph, count)
    inputs = model.normalisation(torch.from_numpy(squares).movedim(-1, 1))
    with torch.no_grad():
        expected = model.network.activations(inputs, layers)
    for images in slices:
        forward = Forward.of_layers(model, layers, 8, CPU)
        forward.slice_images = images
        found = maps_of(forward, squares)
        assert set(found) == set(layers)
        for layer, maps in found.items():
            reference = expected[layer].reshape(maps.shape)
            scale = reference.nan_to_num(0.0, 0.0, 0.0).abs().max().item()
            torch.testing.assert_close(
                maps, reference, rtol=1e-4, atol=1e-5 * scale, equal_nan=True
            )


def test_every_layer_of_a_graph_is_the_network_s_own_whatever_the_slices(plain):
    model = branched(plain)
    assert_same_maps(model, model.graph.layers, 5, slices=(2, 5))


def test_the_output_node_gives_the_scores_of_each_square(plain):
    model = branched(plain)
    squares = squares_for(model.graph, 5)
    forward = Forward(model, {model.graph.output: "scores"}, 8, CPU)
    forward.slice_images = 2
    with torch.no_grad():
        expected = model.network(model.normalisation(torch.from_numpy(squares).movedim(-1, 1)))
    torch.testing.assert_close(maps_of(forward, squares)["scores"].flatten(1), expected)


def test_on_a_cpu_the_slices_depend_on_the_network_alone(plain):
    model = branched(plain)
    sizes = {Forward.of_layers(model, ["head"], many, CPU).slice_images for many in (1, 8, 64)}
    assert len(sizes) == 1


@pytest.mark.parametrize("size", [(15, 15), (16, 15), (15, 16), (16, 16)])
def test_a_peak_in_a_row_or_column_that_a_pool_leaves_out_is_found(plain, size):
    """As in torch's default pools of maps with odd sides."""
    pooled = (8, size[0] // 2, size[1] // 2)
    nodes = (
        Node(Input(), (), (3, *size)),
        Node(Conv(square(1), "conv.weight"), (0,), (8, *size), "conv"),
        Node(MaxPool(square(2, 2)), (1,), pooled, "pool"),
        Node(Conv(square(1), "head.weight"), (2,), pooled, "head"),
    )
    model = branched(plain, Graph(nodes, 3))
    squares = squares_for(model.graph, 40)
    with torch.no_grad():
        inputs = model.normalisation(torch.from_numpy(squares).movedim(-1, 1))
        maps = model.network.activations(inputs, ["conv"])["conv"]
    flat = maps.flatten(2).argmax(dim=2)
    image, channel = (at.ravel() for at in np.indices((40, 8)))
    peaks, cells = [], []
    forward = Forward.of_layers(model, ["conv", "head"], 8, CPU)
    for layer, first, found in forward.run(iter(squares), len(squares)):
        if layer == "conv":
            mine = (image >= first) & (image < first + len(found.maps))
            peaks.append(found.peaks())
            cells.append(found.cells(image[mine] - first, channel[mine]))
    np.testing.assert_allclose(np.concatenate(peaks), maps.amax((2, 3)).numpy(), rtol=1e-5)
    expected = torch.stack([flat // size[1], flat % size[1]], dim=2).reshape(-1, 2)
    np.testing.assert_array_equal(np.concatenate(cells), expected.numpy())


def residual(blocks):
    """Blocks of two convolutions with norms and a sum: too many for a bound by weights alone."""
    nodes = [Node(Input(), (), (3, 12, 12)), _conv("stem", 3, 0), _relu(1, "start")]
    for block in range(blocks):
        start = len(nodes) - 1
        for part in ("a", "b"):
            name = f"block{block}.{part}"
            nodes.append(_conv(name, 8, len(nodes) - 1))
            norm = (f"{name}.{fact}" for fact in ("mean", "var", "factor", "shift"))
            nodes.append(Node(BatchNorm(*norm, 1e-5), (len(nodes) - 1,), (8, 12, 12), f"{name}.n"))
            if part == "a":
                nodes.append(_relu(len(nodes) - 1))
        nodes.append(Node(Add(), (len(nodes) - 1, start), (8, 12, 12), f"block{block}"))
        nodes.append(_relu(len(nodes) - 1, f"block{block}.out"))
    return Graph(tuple(nodes), len(nodes) - 1)


def _conv(name, below, at):
    return Node(Conv(square(3, 1, 1), f"{name}.weight"), (at,), (8, 12, 12), name)


def _relu(at, name=""):
    return Node(Curve("relu"), (at,), (8, 12, 12), name)


def test_a_deep_network_runs_with_fused_relus_while_its_values_are_sound(plain):
    model = branched(plain, residual(40))
    forward = Forward.of_layers(model, model.graph.layers, 8, CPU)
    assert forward._checked
    assert_same_maps(model, model.graph.layers, 3, slices=(2, 3))
    squares = squares_for(model.graph, 3)
    maps_of(forward, squares)
    assert "_unfused" not in vars(forward)


@pytest.mark.parametrize("size", [1e12, 1e37])
def test_a_value_that_is_too_large_is_what_the_network_itself_makes_of_it(plain, size):
    """With 1e37 sums overflow to infinities and NaN, which a fused ReLU would turn into 0."""
    model = branched(plain, residual(12))
    model.network.tensor("block9.a.factor").data.mul_(size)
    model.network.tensor("block9.b.factor").data.mul_(-size)
    layers = ["block3", "block10", "block11"]
    assert_same_maps(model, layers, 3, slices=(2, 3))
    forward = Forward.of_layers(model, layers, 8, CPU)
    maps = maps_of(forward, squares_for(model.graph, 3))
    assert maps["block11"].isnan().any() == (size == 1e37)
