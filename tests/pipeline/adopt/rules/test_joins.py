import pytest
import torch

from pipeline.adopt.read import read
from pipeline.adopt.trace import UnreadableError
from pipeline.network.ops import Add, Cat, Curve, MeanPool, Mul, Scale, Select
from pipeline.network.window import Window
from tests.pipeline.adopt.modules import INPUT, Gate, Lambda, last_op, ops_of


def test_a_gate_is_a_number_per_channel():
    graph, _ = read(Gate(3), INPUT)
    product = graph.nodes[graph.output]
    assert isinstance(product.op, Mul)
    assert product.inputs[0] == 0
    assert graph.nodes[product.inputs[1]].shape == (3, 1, 1)
    assert graph.layers == ()


def test_sums_of_parts_and_differences_are_sums():
    assert last_op(Lambda(lambda x: torch.stack([x, x.relu()], 1).sum(1))) == Add()
    assert ops_of(Lambda(lambda x: x.relu() - x)) == [Curve, Scale, Add]


def test_a_sum_over_all_cells_is_their_mean_times_how_many_there_are():
    assert last_op(Lambda(lambda x: x.sum((2, 3)))) == MeanPool(Window((24, 20)), divisor=1)
    assert last_op(Lambda(lambda x: x.flatten(2).sum(-1))) == MeanPool(Window((24, 20)), divisor=1)
    with pytest.raises(UnreadableError, match="over several dimensions"):
        last_op(Lambda(lambda x: x.sum((1, 2))))


def test_a_negative_is_a_factor():
    graph, weights = read(Lambda(lambda x: -x), INPUT)
    assert weights[graph.nodes[graph.output].op.factor].tolist() == [-1, -1, -1]


def test_a_concatenation_is_along_the_channels():
    graph, _ = read(Lambda(lambda x: torch.cat([x.relu(), x.sigmoid()], 1)), INPUT)
    assert graph.nodes[graph.output].op == Cat()
    assert graph.nodes[graph.output].shape == (6, 24, 20)
    with pytest.raises(UnreadableError, match="along another axis than the channels"):
        last_op(Lambda(lambda x: torch.cat([x.relu(), x.sigmoid()], 2)))


def test_numbers_scale_and_shift_by_channel():
    numbers = torch.tensor([1.0, 2.0, 3.0]).reshape(3, 1, 1)
    graph, weights = read(Lambda(lambda x: 5 - x.relu() * numbers), INPUT)
    assert [type(node.op) for node in graph.nodes[1:]] == [Curve, Scale, Scale]
    times, minus = graph.nodes[2].op, graph.nodes[3].op
    assert weights[times.factor].tolist() == [1, 2, 3]
    assert times.shift is None
    assert weights[minus.factor].tolist() == [-1, -1, -1]
    assert weights[minus.shift].tolist() == [5, 5, 5]


def test_the_gate_of_two_maps_is_the_one_that_ends_in_a_gate_s_curve():
    graph, _ = read(Lambda(lambda x: x.relu().sigmoid() * x), INPUT)
    product = graph.nodes[graph.output]
    assert product.op == Mul()
    assert product.inputs[0] == 0
    assert graph.nodes[product.inputs[1]].op == Curve("sigmoid")


def test_a_gate_of_one_channel_is_taken_as_it_is():
    graph, _ = read(Lambda(lambda x: x * (1 - x[:, :1].sigmoid())), INPUT)
    gate = graph.nodes[graph.nodes[graph.output].inputs[1]]
    assert isinstance(gate.op, Scale)
    assert gate.shape == (1, 24, 20)


def test_a_gate_may_be_scaled_and_gated_on_its_way():
    graph, _ = read(Lambda(lambda x: x.tanh() * (2 * (x - 1).sigmoid() * x.tanh())), INPUT)
    product = graph.nodes[graph.output]
    assert graph.nodes[product.inputs[0]].op == Curve("tanh")
    assert graph.nodes[product.inputs[1]].op == Mul()


def test_gates_in_another_order_pick_from_the_gate():
    def turned(x):
        return x * x.mean((2, 3), keepdim=True).sigmoid().flip(1)

    graph, _ = read(Lambda(turned), INPUT)
    gate = graph.nodes[graph.nodes[graph.output].inputs[1]]
    assert gate.op == Select((2, 1, 0))
