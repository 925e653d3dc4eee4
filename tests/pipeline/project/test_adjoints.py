import pytest
import torch
from torch.nn import functional

from pipeline.network.chain import Conv, MaxPool
from pipeline.project.descent import (
    PhaseConv,
    TransposedConv,
    _unpool_at_once,
    _unpool_by_offset,
    transpose,
    unpool,
)

CASES = [
    Conv("c", 3, 5, kernel=7, stride=2),
    Conv("c", 3, 4, kernel=11, stride=4),
    Conv("c", 4, 6, kernel=3, stride=3, groups=2),
    Conv("c", 2, 4, kernel=2, stride=3),
    Conv("c", 16, 5, kernel=5, stride=2),
    Conv("c", 40, 6, kernel=3, groups=2),
]


def random(*shape):
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(5))


@pytest.mark.parametrize("cells", [1, 2, 5])
@pytest.mark.parametrize("op", CASES, ids=str)
def test_the_way_down_is_the_adjoint_of_the_way_up(op, cells):
    side = (cells - 1) * op.stride + op.kernel
    weight = random(op.out_channels, op.in_channels // op.groups, op.kernel, op.kernel)
    below, above = random(2, op.in_channels, side, side), random(2, cells, cells, op.out_channels)
    up = functional.conv2d(below, weight, stride=op.stride, groups=op.groups)
    down = transpose(op, weight)(above)
    assert down.shape == (2, side, side, op.in_channels)
    torch.testing.assert_close(
        (up.permute(0, 2, 3, 1) * above).sum(), (below.permute(0, 2, 3, 1) * down).sum(),
        rtol=1e-13, atol=1e-11,
    )  # fmt: skip


@pytest.mark.parametrize("op", CASES, ids=str)
def test_one_unit_carries_its_filter_times_its_activation(op):
    weight = random(op.out_channels, op.in_channels // op.groups, op.kernel, op.kernel)
    down = transpose(op, weight)
    channel = torch.tensor([op.out_channels - 1, 0])
    found = down.from_units(channel, torch.tensor([2.0, -1.0], dtype=torch.float64))
    per_group = op.out_channels // op.groups
    for entry, (chosen, started) in enumerate(zip(channel.tolist(), (2.0, -1.0), strict=True)):
        first = chosen // per_group * weight.shape[1]
        expected = torch.zeros(op.kernel, op.kernel, op.in_channels, dtype=torch.float64)
        expected[:, :, first : first + weight.shape[1]] = weight[chosen].permute(1, 2, 0) * started
        torch.testing.assert_close(found[entry], expected, rtol=0, atol=1e-15)


def test_few_channels_below_take_the_other_form():
    assert isinstance(transpose(CASES[0], random(5, 3, 7, 7)), PhaseConv)
    assert isinstance(transpose(CASES[4], random(5, 16, 5, 5)), TransposedConv)


def test_products_are_made_in_parts_without_a_difference(monkeypatch):
    down, above = transpose(CASES[4], random(5, 16, 5, 5)), random(7, 3, 3, 5)
    whole = down(above)
    monkeypatch.setattr("pipeline.project.descent.CACHE_BYTES", 1)
    torch.testing.assert_close(down(above), whole, rtol=1e-14, atol=1e-14)


def test_unpooling_adds_up_where_two_cells_share_a_switch():
    # On 5 × 1-like windows of kernel 3, stride 2, cells 0 and 1 both took their maximum at 2.
    signal = torch.tensor([[[[3.0], [4.0]], [[0.0], [0.0]]]])
    switches = torch.tensor([[[[2], [0]], [[0], [2]]]], dtype=torch.uint8)
    below = unpool(MaxPool(3, 2), signal, switches)
    assert below[0, 0, :, 0].tolist() == [0, 0, 7, 0, 0]
    assert float(below.sum()) == 7


@pytest.mark.parametrize(
    ("kernel", "stride", "cells"), [(3, 2, 4), (2, 2, 3), (3, 1, 2), (4, 3, 1)]
)
def test_both_ways_of_unpooling_agree(kernel, stride, cells):
    op, side = MaxPool(kernel, stride), (cells - 1) * stride + kernel
    values, signal = random(3, 20, side, side), random(3, cells, cells, 20)
    _, index = functional.max_pool2d(values, kernel, stride, return_indices=True)
    corner = torch.arange(cells) * stride
    row = index // side - corner[:, None]
    switches = (row * kernel + index % side - corner).to(torch.uint8).permute(0, 2, 3, 1)
    torch.testing.assert_close(
        _unpool_at_once(op, signal, switches),
        _unpool_by_offset(op, signal, switches),
        rtol=1e-14,
        atol=1e-14,
    )
