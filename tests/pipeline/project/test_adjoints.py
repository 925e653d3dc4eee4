import pytest
import torch
from torch.nn import functional

from pipeline.network.ops import Conv
from pipeline.network.window import Window, square
from pipeline.project.adjoints import (
    FlippedConv,
    LibraryTransposed,
    PhaseConv,
    TransposedConv,
    below_units,
    transpose,
)

CASES = [
    (3, 5, square(7, 2), 1),
    (3, 4, square(11, 4), 1),
    (4, 6, square(3, 3), 2),
    (2, 4, square(2, 3), 1),
    (16, 5, square(5, 2), 1),
    (40, 6, square(3), 2),
    (3, 5, Window((1, 7), (2, 2)), 1),
    (20, 5, Window((7, 1), (2, 2)), 1),
    (20, 6, Window((3, 5), (2, 1)), 2),
    (18, 6, Window((3, 3), (1, 1), dilation=(2, 3)), 1),
    (8, 8, square(3, 2), 8),
    (20, 6, square(1), 1),
    (20, 6, square(1, 2), 1),
    (20, 6, square(3), 1),
    (20, 6, Window((3, 5), (1, 1)), 1),
]
"""Input channels, output channels, window, groups."""


def random(*shape):
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(5))


def weight_of(case):
    below, above, window, groups = case
    return random(above, below // groups, *window.kernel)


def adjoint(case, cells=(1, 1)):
    return transpose(Conv(case[2], "weight", groups=case[3]), weight_of(case), cells, (0, 0))


@pytest.mark.parametrize("cells", [(1, 1), (2, 3), (5, 4), (14, 15)])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_way_down_is_the_adjoint_of_the_way_up(case, cells):
    in_channels, out_channels, window, groups = case
    reach = [
        (count - 1) * stride + extent
        for count, stride, extent in zip(cells, window.stride, window.extent, strict=True)
    ]
    below, above = random(2, in_channels, *reach), random(2, *cells, out_channels)
    up = functional.conv2d(
        below, weight_of(case), stride=window.stride, dilation=window.dilation, groups=groups
    )
    down = adjoint(case, cells)(above)
    assert down.shape == (2, *reach, in_channels)
    torch.testing.assert_close(
        (up.permute(0, 2, 3, 1) * above).sum(), (below.permute(0, 2, 3, 1) * down).sum(),
        rtol=1e-13, atol=1e-11,
    )  # fmt: skip


@pytest.mark.parametrize("window", [square(3, 1, 1), square(3), Window((3, 5), (1, 1), (1, 2))])
def test_on_whole_maps_of_a_convolution_nothing_is_made_outside_the_map(window):
    above, weight = random(2, 14, 15, 6), random(6, 20, *window.kernel)
    size = tuple(
        cells - 1 + kernel - 2 * before
        for cells, kernel, before in zip((14, 15), window.kernel, window.before, strict=True)
    )
    found = transpose(Conv(window, "weight"), weight, (14, 15), size)
    assert isinstance(found, FlippedConv)
    assert found.on_map
    expected = functional.conv_transpose2d(
        above.permute(0, 3, 1, 2), weight, padding=window.before
    ).permute(0, 2, 3, 1)
    torch.testing.assert_close(found(above), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_one_unit_carries_its_filter_times_its_activation(case):
    in_channels, out_channels, window, groups = case
    weight = weight_of(case)
    channel = torch.tensor([out_channels - 1, 0])
    started = torch.tensor([2.0, -1.0], dtype=torch.float64)
    filters = weight.permute(0, 2, 3, 1)
    found = below_units(Conv(window, "weight", groups=groups), filters, channel, started)
    per_group = out_channels // groups
    (row_step, col_step), extent = window.dilation, window.extent
    for entry, (chosen, start) in enumerate(zip(channel.tolist(), (2.0, -1.0), strict=True)):
        first = chosen // per_group * weight.shape[1]
        expected = torch.zeros(*extent, in_channels, dtype=torch.float64)
        expected[::row_step, ::col_step, first : first + weight.shape[1]] = (
            weight[chosen].permute(1, 2, 0) * start
        )
        torch.testing.assert_close(found[entry], expected, rtol=0, atol=1e-15)


def test_the_form_follows_from_the_shape():
    assert isinstance(adjoint(CASES[0]), PhaseConv)
    assert isinstance(adjoint(CASES[4]), TransposedConv)
    assert isinstance(adjoint(CASES[8]), LibraryTransposed)


def test_products_are_made_in_parts_without_a_difference(monkeypatch):
    down, above = adjoint(CASES[4]), random(7, 3, 3, 5)
    whole = down(above)
    monkeypatch.setattr("pipeline.project.adjoints.CACHE_BYTES", 1)
    torch.testing.assert_close(down(above), whole, rtol=1e-14, atol=1e-14)
