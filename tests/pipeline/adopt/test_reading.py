import pytest
import torch

from pipeline.adopt.reading import Constant, Reading
from pipeline.adopt.trace import Call, UnreadableError
from pipeline.network.ops import Cat, Curve, Input, MeanPool, Pad, Resample, Select
from pipeline.network.window import Window

CALL = Call("conv2d_1", "conv2d", None, (), (), "features.0", (1, 2, 3, 4))


def begun(shape=(2, 6, 5)):
    """A reading that has its input, and that as a tensor."""
    reading = Reading()
    return reading, reading.add(Input(), [], shape, "")


def kinds(reading):
    return [node.op for node in reading.nodes[1:]]


def test_a_map_in_its_own_order_is_the_node_itself():
    reading, tensor = begun()
    assert reading.position(tensor, CALL) == 0
    assert kinds(reading) == []


def test_nodes_are_added_for_channels_picked_rows_cut_and_columns_thinned():
    reading, tensor = begun()
    part = tensor.rearranged(tensor.cells[:, [1], 2:, ::2])
    assert reading.position(part, CALL) == 3
    assert kinds(reading) == [Select((1,)), Pad((-2, 0)), MeanPool(Window((1, 1), (1, 2)))]
    assert [node.shape for node in reading.nodes[1:]] == [(1, 6, 5), (1, 4, 5), (1, 4, 3)]
    assert {node.path for node in reading.nodes[1:]} == {"features.0"}


def test_parts_of_a_map_in_another_order_are_put_together():
    reading, tensor = begun((1, 2, 4))
    columns = torch.cat([tensor.cells[..., j::2] for j in (1, 0)], 1)
    assert reading.nodes[reading.position(tensor.rearranged(columns), CALL)].shape == (2, 2, 2)
    *parts, joined, order = kinds(reading)
    thin = MeanPool(Window((1, 1), (1, 2)))
    assert parts == [Pad((0, 0)), thin, Pad((0, -1)), thin]
    assert (joined, order) == (Cat(), Select((1, 0)))
    assert {node.path for node in reading.nodes[-2:]} == {"features.0.parts"}


def test_a_map_of_too_many_parts_is_refused():
    reading, tensor = begun((1, 9, 9))
    with pytest.raises(UnreadableError, match="not a regular part"):
        reading.position(tensor.as_shape((1, 81)), CALL)


def test_one_cell_is_repeated_and_rows_of_a_map_are_not():
    reading, tensor = begun((2, 1, 1))
    reading.position(tensor.rearranged(tensor.cells.expand(1, 2, 3, 4)), CALL)
    assert kinds(reading) == [Resample("nearest")]
    assert reading.nodes[-1].shape == (2, 3, 4)
    reading, tensor = begun()
    with pytest.raises(UnreadableError, match=r"features\.0 calls conv2d on rows or columns"):
        reading.position(tensor.rearranged(tensor.cells[:, :, :1].expand(1, 2, 6, 5)), CALL)


def test_what_is_not_a_map_is_refused():
    reading, tensor = begun()
    with pytest.raises(UnreadableError, match="not a regular part of a map"):
        reading.position(tensor.rearranged(tensor.cells.flip(3)), CALL)
    with pytest.raises(UnreadableError, match="on a constant where a map is expected"):
        reading.position(Constant(torch.ones(1)), CALL)


def test_an_operation_of_each_cell_leaves_the_arrangement():
    reading, tensor = begun()
    flipped = tensor.rearranged(tensor.cells.flip(3))
    made = reading.over(Curve("relu"), reading.whole(flipped, CALL), "act")
    assert made.node == 1
    assert torch.equal(made.cells, flipped.cells)
    assert reading.nodes[1].shape == (2, 6, 5)


def test_equal_weights_share_a_name_and_others_get_a_number():
    reading, one, two = Reading(), torch.ones(2), torch.zeros(2)
    assert [reading.keep(t, "w") for t in (one, two, one.clone(), torch.ones(3))] == [
        "w",
        "w_2",
        "w",
        "w_3",
    ]
    assert reading.keep_constant(Constant(one, "own"), CALL, "bias") == "own"
    assert reading.keep_constant(Constant(two), CALL, "bias") == "features.0.bias"
    assert reading.weights["w_2"].tolist() == [0, 0]
