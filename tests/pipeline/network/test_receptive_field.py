"""Receptive fields against gradients, and against the test vectors computed from the paper."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from pipeline.network.architectures import Variant, build_chain
from pipeline.network.module import Network
from pipeline.network.receptive_field import receptive_field

CONVS = ("conv1", "conv2", "conv3", "conv4", "conv5")


def all_ones(arch: str, input_px: int) -> Network:
    """A network of two channels a layer whose every weight is 1, in double precision."""
    two = dict.fromkeys(CONVS, 2)
    network = Network(build_chain(arch, 2, input_px, Variant(1.0, two, fc_features=2)))
    for parameter in network.parameters():
        torch.nn.init.ones_(parameter)
    return network.double().eval()


def sum_pool(maps, kernel, stride, padding, dilation, ceil_mode):
    """In place of the maximum, so that every cell of a window has a gradient."""
    sums = functional.lp_pool2d(maps, 1.0, kernel, stride, ceil_mode=ceil_mode)
    return sums, torch.zeros_like(sums)


def span(gradient: torch.Tensor) -> tuple[int, int]:
    """First and one past the last index that is not 0."""
    touched = gradient.nonzero().flatten()
    return int(touched[0]), int(touched[-1]) + 1


@pytest.mark.parametrize("layer", CONVS)
@pytest.mark.parametrize(("arch", "input_px"), [("zfnet", 64), ("zfnet", 71), ("alexnet", 83)])
def test_every_units_field_is_the_support_of_its_gradient(monkeypatch, arch, input_px, layer):
    monkeypatch.setattr(functional, "max_pool2d_with_indices", sum_pool)
    network = all_ones(arch, input_px)
    inputs = torch.rand(1, 3, input_px, input_px, dtype=torch.float64, requires_grad=True)
    maps = network.activations(inputs, [layer])[layer]
    side = maps.shape[-1]
    cells = np.array([(row, col) for row in range(side) for col in range(side)], np.int32)
    field = receptive_field(network.graph, layer)
    boxes = field.boxes(cells).clip(0, input_px)
    for (row, col), box in zip(cells.tolist(), boxes.tolist(), strict=True):
        (gradient,) = torch.autograd.grad(maps[0, 0, row, col], inputs, retain_graph=True)
        support = gradient.abs().sum(dim=(0, 1))
        top, bottom = span(support.sum(dim=1))
        left, right = span(support.sum(dim=0))
        if field.size == (input_px, input_px):  # from the size of the image on it is the image
            assert box == [0, 0, input_px, input_px]
        else:
            assert [top, left, bottom, right] == box, (row, col)


@pytest.mark.parametrize(
    ("arch", "layer", "size", "jump", "centre"),
    [
        ("zfnet", "conv1", 7, 2, 3),
        ("zfnet", "conv2", 27, 8, 13),
        ("zfnet", "conv3", 75, 16, 21),
        ("zfnet", "conv4", 107, 16, 21),
        ("zfnet", "conv5", 139, 16, 21),
        ("alexnet", "conv1", 11, 4, None),
        ("alexnet", "conv2", 51, 8, None),
        ("alexnet", "conv3", 99, 16, None),
        ("alexnet", "conv4", 131, 16, None),
        ("alexnet", "conv5", 163, 16, None),
    ],
)
def test_fields_have_the_size_jump_and_centre_computed_from_the_paper(
    arch, layer, size, jump, centre
):
    field = receptive_field(build_chain(arch, 1000, 224), layer)
    assert (field.size, field.rows.jump) == ((size, size), jump)
    if centre is not None:
        assert field.rows.start + (size - 1) // 2 == centre


@pytest.mark.parametrize(
    ("layer", "first", "last"),
    [
        ("conv1", (0, 6), (218, 223)),
        ("conv2", (0, 26), (200, 223)),
        ("conv3", (0, 58), (176, 223)),
        ("conv4", (0, 74), (160, 223)),
        ("conv5", (0, 90), (144, 223)),
    ],
)
def test_clipped_spans_of_the_first_and_last_unit_at_224(layer, first, last):
    graph = build_chain("zfnet", 1000, 224)
    end = graph.layer(layer).size[0] - 1
    boxes = receptive_field(graph, layer).boxes(np.array([(0, 0), (end, end)], np.int32))
    spans = [(max(0, top), min(224, bottom) - 1) for top, _, bottom, _ in boxes.tolist()]
    assert spans == [first, last]


def test_only_36_of_conv5s_units_have_an_unclipped_field():
    graph = build_chain("zfnet", 1000, 224)
    cells = np.stack(np.meshgrid(np.arange(13), np.arange(13)), axis=-1).reshape(-1, 2)
    boxes = receptive_field(graph, "conv5").boxes(cells.astype(np.int32))
    assert int(((boxes >= 0) & (boxes <= 224)).all(axis=1).sum()) == 36


def test_a_unit_of_a_fully_connected_layer_sees_the_whole_image():
    field = receptive_field(build_chain("zfnet", 10, 160), "fc7")
    assert field.boxes(np.zeros((1, 2), np.int32)).tolist() == [[0, 0, 160, 160]]
