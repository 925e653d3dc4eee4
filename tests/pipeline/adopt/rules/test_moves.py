import pytest
import torch
from torch import nn
from torch.nn import functional

from pipeline.adopt.read import read
from pipeline.adopt.trace import UnreadableError
from pipeline.network.ops import Curve, Linear, MeanPool, Pad, Scale, Select
from tests.pipeline.adopt.modules import INPUT, Lambda, Shuffle, last_op, ops_of


def test_a_shuffle_picks_channels():
    assert last_op(Shuffle(), (4, 2, 2)) == Select((0, 2, 1, 3))


def test_a_slice_picks_channels_and_cuts_and_thins_the_map():
    graph, _ = read(Lambda(lambda x: x[:, 1:, 2:, ::2]), INPUT)
    assert [node.op for node in graph.nodes[1:3]] == [Select((1, 2)), Pad((-2, 0))]
    assert isinstance(graph.nodes[3].op, MeanPool)
    assert graph.nodes[3].op.window.kernel == (1, 1)
    assert graph.nodes[3].shape == (2, 22, 10)


def test_channels_by_number_are_picked():
    assert last_op(Lambda(lambda x: x[:, [2, 1, 0]])) == Select((2, 1, 0))


def test_a_constant_of_a_map_s_shape_is_a_constant():
    assert ops_of(Lambda(lambda x: x + torch.ones_like(x))) == [Scale]


def test_channels_last_leaves_no_trace():
    class Last(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(3, 4)

        def forward(self, x):
            return functional.relu(self.linear(x.permute(0, 2, 3, 1))).permute(0, 3, 1, 2)

    graph, _ = read(Last(), INPUT)
    assert [type(node.op) for node in graph.nodes[1:]] == [Linear, Curve]
    assert graph.nodes[1].op.per_cell


def test_halves_put_together_again_leave_no_trace():
    def halves(x):
        left, right = x.chunk(2, dim=3)
        return functional.relu(functional.pad(x, (0, 0))) if left is right else x.relu()

    assert ops_of(Lambda(halves)) == [Curve]


def test_an_order_of_cells_that_no_map_has_is_refused():
    with pytest.raises(UnreadableError, match="not a regular part of a map"):
        last_op(nn.Sequential(Lambda(lambda x: x.roll(1, 3)), nn.Conv2d(3, 2, 3)))
