"""The two ways of unpooling, against cases by hand and each other."""

import pytest
import torch
from torch.nn import functional

from pipeline.network.window import square
from pipeline.project.unpooling import _unpool_at_once, _unpool_by_offset, unpool


def random(*shape):
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(5))


def test_unpooling_adds_up_where_two_cells_share_a_switch():
    # On 5 × 1-like windows of kernel 3, stride 2, cells 0 and 1 both took their maximum at 2.
    signal = torch.tensor([[[[3.0], [4.0]], [[0.0], [0.0]]]])
    switches = torch.tensor([[[[2], [0]], [[0], [2]]]], dtype=torch.uint8)
    below = unpool(square(3, 2), signal, switches)
    assert below[0, 0, :, 0].tolist() == [0, 0, 7, 0, 0]
    assert float(below.sum()) == 7


@pytest.mark.parametrize(
    ("kernel", "stride", "cells"), [(3, 2, 4), (2, 2, 3), (3, 1, 2), (4, 3, 1)]
)
def test_both_ways_of_unpooling_agree(kernel, stride, cells):
    window, side = square(kernel, stride), (cells - 1) * stride + kernel
    values, signal = random(3, 20, side, side), random(3, cells, cells, 20)
    _, index = functional.max_pool2d(values, kernel, stride, return_indices=True)
    corner = torch.arange(cells) * stride
    row = index // side - corner[:, None]
    switches = (row * kernel + index % side - corner).to(torch.uint8).permute(0, 2, 3, 1)
    torch.testing.assert_close(
        _unpool_at_once(window, signal, switches),
        _unpool_by_offset(window, signal, switches),
        rtol=1e-14,
        atol=1e-14,
    )
