import itertools

import numpy as np
import pytest
import torch
from captum.attr import NeuronDeconvolution
from torch import nn

from pipeline.network.geometry import seed_of, windows
from pipeline.network.module import Network
from pipeline.network.ops import Conv, LocalResponseNorm, MaxPool
from pipeline.network.receptive_field import receptive_field
from pipeline.network.window import square
from pipeline.project.adjoints import PhaseConv, TransposedConv, transpose
from pipeline.project.deconvnet import Deconvnet, Units
from pipeline.project.forward_work import needs_whole_image
from pipeline.project.method import recorded
from pipeline.project.placement import rectangle
from pipeline.project.switch_maps import cut_windows
from pipeline.project.switches import SwitchFinder
from tests.pipeline.network.small_graphs import RELU, chained, conv
from tests.pipeline.project.oracle import (
    autograd_projection,
    random_network,
    under_box,
    with_random_weights,
)

WAYS = ("whole image", "windows")


def image_of(network, seed=1):
    side, dtype = network.graph.input[1], network.get_parameter("conv1.weight").dtype
    return torch.randn(3, side, side, generator=torch.Generator().manual_seed(seed)).to(dtype)


def project(network, image, layer, channel, cell, start, way):
    """Projections by the code under test, switches from the whole image or from windows."""
    cells, finder = torch.tensor(cell), SwitchFinder(network, finite=True)
    nodes = recorded(network.graph, layer, "deconvnet")
    if needs_whole_image(network.graph, layer, nodes):
        way = "whole image"
    below = windows(network.graph, seed_of(network.graph, layer))
    units = Units(torch.tensor(channel), cells, torch.tensor(start, dtype=image.dtype))
    if way == "whole image":
        maps = finder.maps(image[None], nodes)
        switches = cut_windows(below, [maps] * len(cell), cells, nodes)
    else:
        rows, cols = below[0]
        first = [(rows.first(cell[0]), cols.first(cell[1])) for cell in cells]
        size = rows.size, cols.size
        patches = [rectangle(image[None], int(top), int(left), size) for top, left in first]
        switches = finder.windows(torch.cat(patches), cells, below, nodes) if nodes else {}
    return Deconvnet(network, layer, "deconvnet")(units, switches)


def worst_error(network, image, layer, cells, way):
    """Relative L2 against autograd, over units at some cells."""
    count = network.graph.layer(layer).channels
    channel = [(7 * n) % count for n in range(len(cells))]
    start = [0.5 + n for n in range(len(cells))]
    found = project(network, image, layer, channel, cells, start, way)
    field, worst = receptive_field(network.graph, layer), 0.0
    for n, cell in enumerate(cells):
        unit = (channel[n], *cell)
        expected = autograd_projection(network, image, layer, unit, start[n])
        box = field.boxes(np.array(cell, np.int32)).tolist()
        inside = under_box(expected, box)
        torch.testing.assert_close(inside.norm(), expected.norm(), rtol=1e-5, atol=0)
        worst = max(worst, float((found[n] - inside).norm() / inside.norm()))
    return worst


def border_and_centre(side):
    ends = (0, side // 2, side - 1)
    return sorted(set(itertools.product(ends, ends)))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("layer", ["conv1", "conv2", "conv3", "conv4", "conv5"])
@pytest.mark.parametrize(("arch", "side"), [("zfnet", 96), ("zfnet", 131), ("alexnet", 99)])
def test_corners_edges_and_centre_of_every_layer_are_those_of_autograd(arch, side, layer, way):
    network = random_network(arch, input_px=side)
    cells = border_and_centre(network.graph.layer(layer).size[0])
    assert worst_error(network, image_of(network), layer, cells, way) < 1e-13


@pytest.mark.parametrize("layer", ["conv1", "conv2", "conv3", "conv4", "conv5"])
@pytest.mark.parametrize("arch", ["zfnet", "alexnet"])
def test_single_precision_at_224_pixels_stays_within_the_contract(arch, layer):
    network = random_network(arch, width=0.0625 * 2, input_px=224, dtype=torch.float32)
    cells = [(0, 0), (network.graph.layer(layer).size[0] // 2,) * 2]
    assert worst_error(network, image_of(network), layer, cells, "windows") < 1e-5


@pytest.mark.parametrize(
    ("arch", "width", "side"),
    [("zfnet", 3 / 16, side) for side in (44, 53, 63)]
    + [("alexnet", 3 / 8, side) for side in (36, 59, 79)],
)
def test_single_precision_from_the_smallest_input_on_stays_within_the_contract(arch, width, side):
    """In oneDNN's layout, on whole images and windows, alone and in a batch; 44 and 36 pixels are
    the least that leave a cell. The reference is in double precision."""
    network = random_network(arch, width, side, dtype=torch.float32)
    exact, image = random_network(arch, width, side), image_of(network)
    for layer in network.graph.layers:
        cells = border_and_centre(network.graph.layer(layer).size[0])
        channel = [(7 * n) % network.graph.layer(layer).channels for n in range(len(cells))]
        start = [0.5 + n for n in range(len(cells))]
        units = zip(channel, cells, start, strict=True)
        pictures = [
            autograd_projection(exact, image.double(), layer, (c, *cell), s) for c, cell, s in units
        ]
        boxes = receptive_field(network.graph, layer).boxes(np.array(cells, np.int32)).tolist()
        expected = torch.stack(list(map(under_box, pictures, boxes)))
        size = expected.flatten(1).norm(dim=1)
        assert (size > 0).all()
        for way, some in itertools.product(WAYS, (slice(None), slice(1))):
            found = project(network, image, layer, channel[some], cells[some], start[some], way)
            error = (found.double() - expected[some]).flatten(1).norm(dim=1) / size[some]
            assert error.max() < 1e-5


def test_the_networks_of_this_precision_multiply_in_the_packed_layout():
    """Else the test above would not reach it."""
    for arch, width in (("zfnet", 3 / 16), ("alexnet", 3 / 8)):
        network = random_network(arch, width, 79, dtype=torch.float32)
        forms = [
            type(transpose(node.op, network.tensor(node.op.weight), (1, 1), (0, 0)))
            for node in network.graph.nodes
            if isinstance(node.op, Conv)
        ]
        assert forms == [PhaseConv, *[TransposedConv] * 4]


@pytest.mark.parametrize("layer", ["fc6", "fc7", "fc8"])
def test_fully_connected_units_project_to_the_whole_image(layer):
    network = random_network(input_px=67)
    image = image_of(network)
    found = project(network, image, layer, [1, 4], [(0, 0)] * 2, [2.0, -3.0], "whole image")
    for n, (channel, start) in enumerate([(1, 2.0), (4, -3.0)]):
        expected = autograd_projection(network, image, layer, (channel, 0, 0), start)
        torch.testing.assert_close(found[n], expected, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("side", range(59, 75, 3))
def test_any_size_of_input_is_exact(side):
    network = random_network(width=0.0625, input_px=side)
    cells = border_and_centre(network.graph.layer("conv4").size[0])
    assert worst_error(network, image_of(network), "conv4", cells, "windows") < 1e-13


def test_a_chain_of_odd_strides_groups_and_paddings_is_exact():
    graph = chained(
        (3, 93, 93),
        conv("conv1", 8, kernel=5, stride=3, padding=2),
        RELU,
        MaxPool(square(2, 2)),
        conv("conv2", 12, kernel=3, stride=2, padding=1, groups=4),
        LocalResponseNorm(3, 0.1, 0.75, 1.0),
        RELU,
        MaxPool(square(3, 2)),
        MaxPool(square(3, 1)),
        conv("conv3", 18, kernel=2, groups=2),
        RELU,
    )
    network = Network(graph)
    network = with_random_weights(network, torch.Generator().manual_seed(2)).double()
    for layer, way in itertools.product(("conv2", "conv3"), WAYS):
        cells = border_and_centre(network.graph.layer(layer).size[0])
        assert worst_error(network, image_of(network), layer, cells, way) < 1e-13


def test_equal_values_everywhere_take_the_first_of_each_window():
    network = random_network(width=0.0625, input_px=64)
    image = torch.full((3, 64, 64), 0.5, dtype=torch.float64)
    network.get_parameter("conv1.weight").copy_(
        (network.get_parameter("conv1.weight") * 8).round() / 8  # exact sums: exact ties
    )
    found = project(network, image, "conv2", [3], [(2, 2)], [1.0], "windows")
    expected = autograd_projection(network, image, "conv2", (3, 2, 2), 1.0)
    torch.testing.assert_close(found[0], under_box(expected, [16, 16, 43, 43]))


def numpy_projection(image, first, second, unit):
    """conv1 (stride 2), ReLU, pool 3/2, conv2, all in plain loops: the picture of one unit."""
    channels, row, col = first.shape[0], *unit[1:]
    side = 1 + (image.shape[1] - first.shape[2]) // 2
    low = np.zeros((channels, side, side))
    for c, i, j in np.ndindex(low.shape):
        low[c, i, j] = max(0, (image[:, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3] * first[c]).sum())
    signal = np.zeros_like(low)
    for c, a, b in np.ndindex(second.shape[1:]):
        top, left = 2 * (row + a), 2 * (col + b)
        window = low[c, top : top + 3, left : left + 3]
        at = np.unravel_index(np.argmax(window), window.shape)
        signal[c, top + at[0], left + at[1]] += second[unit[0], c, a, b]
    picture = np.zeros_like(image)
    for c, i, j in np.argwhere(signal > 0):
        picture[:, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3] += signal[c, i, j] * first[c]
    return picture.transpose(1, 2, 0)


def test_plain_loops_in_numpy_draw_the_same_picture():
    pool = MaxPool(square(3, 2))
    ops = (conv("conv1", 6, 3, 2), RELU, pool, conv("conv2", 4, 3), RELU)
    network = Network(chained((3, 31, 31), *ops)).eval().requires_grad_(False).double()
    chance = np.random.default_rng(0)
    first = chance.integers(-3, 4, (6, 3, 3, 3)).astype(float)
    second, image = chance.normal(size=(4, 6, 3, 3)), chance.integers(0, 5, (3, 31, 31)) * 1.0
    for name, weight in (("conv1", first), ("conv2", second)):
        network.get_parameter(f"{name}.weight").copy_(torch.from_numpy(weight))
        network.get_parameter(f"{name}.bias").zero_()
    found = project(network, torch.from_numpy(image), "conv2", [2], [(1, 3)], [1.0], "windows")
    expected = numpy_projection(image, first, second, (2, 1, 3))
    box = receptive_field(network.graph, "conv2").boxes(np.array([1, 3], np.int32)).tolist()
    inside = under_box(torch.from_numpy(expected), box)
    torch.testing.assert_close(found[0], inside, rtol=1e-12, atol=1e-12)
    assert float(inside.norm()) == pytest.approx(np.linalg.norm(expected))


@pytest.mark.filterwarnings("ignore:Setting backward hooks:UserWarning")
def test_captum_draws_the_same_picture_of_a_network_without_norm():
    pool = MaxPool(square(3, 2))
    ops = (conv("conv1", 8, 7, 2), RELU, pool, conv("conv2", 10, 5, 2), RELU, pool,
           conv("conv3", 6, 3), RELU)  # fmt: skip
    network = Network(chained((3, 83, 83), *ops))
    network = with_random_weights(network, torch.Generator().manual_seed(3)).double()
    image = image_of(network)
    net = nn.Sequential(
        nn.Conv2d(3, 8, 7, 2), nn.ReLU(), nn.MaxPool2d(3, 2, ceil_mode=True),
        nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(8, 10, 5, 2), nn.ReLU(),
        nn.MaxPool2d(3, 2, ceil_mode=True), nn.Conv2d(10, 6, 3), nn.ReLU(),
    ).double()  # fmt: skip
    net.load_state_dict(dict(zip(net.state_dict(), network.state_dict().values(), strict=True)))
    found = project(network, image, "conv3", [4], [(0, 1)], [1.0], "whole image")
    pixels = image[None].clone().requires_grad_()
    theirs = NeuronDeconvolution(net, net[7]).attribute(pixels, (4, 0, 1))[0].detach()
    inside = under_box(theirs.permute(1, 2, 0), [0, 16, 75, 91])
    torch.testing.assert_close(found[0], inside, rtol=1e-12, atol=1e-13)


def test_signals_are_added_up_in_place_also_where_the_caller_records_gradients():
    network = random_network("zfnet", width=3 / 16, input_px=96)
    units = [0, 3], [(0, 0), (2, 1)], [1.0, 2.0]
    for layer in network.graph.conv_layers:
        expected = project(
            network.requires_grad_(False), image_of(network), layer, *units, "windows"
        )
        found = project(network.requires_grad_(True), image_of(network), layer, *units, "windows")
        assert not found.requires_grad
        assert torch.equal(found, expected)
