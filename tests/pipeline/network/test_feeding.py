import numpy as np

from pipeline.network.feeding import Feed, feeds_of, full_kernels
from pipeline.network.graph import Graph, Node
from pipeline.network.ops import Add, Cat, Conv, Input, Linear, square


def conv(name: str, feeding: int, channels: int, groups: int = 1) -> Node:
    op = Conv(square(1), f"{name}.weight", groups=groups)
    return Node(op, (feeding,), (channels, 4, 4), name)


JOINED = Graph(
    (
        Node(Input(), (), (3, 4, 4)),
        conv("a", 0, 2),
        conv("b", 0, 5),
        Node(Cat(), (1, 2), (7, 4, 4), "cat"),
        conv("c", 3, 7, groups=7),
        Node(Add(), (3, 4), (7, 4, 4), "sum"),
        conv("d", 5, 6),
        Node(Linear("e.weight"), (6,), (3, 1, 1), "e"),
    ),
    output=7,
)


def test_a_layer_that_was_scanned_feeds_the_next():
    assert feeds_of(JOINED, "d", JOINED.layers) == [Feed("sum", 0, 7)]
    assert feeds_of(JOINED, "a", JOINED.layers) == []
    assert feeds_of(JOINED, "sum", JOINED.layers) == []


def test_a_concatenation_lays_its_inputs_side_by_side_and_a_sum_on_top():
    convs = ("a", "b", "c", "d")
    assert feeds_of(JOINED, "c", convs) == [Feed("a", 0, 2), Feed("b", 2, 5)]
    assert feeds_of(JOINED, "d", convs) == [Feed("a", 0, 2), Feed("b", 2, 5), Feed("c", 0, 7)]


def test_nothing_with_weights_is_passed_over():
    assert feeds_of(JOINED, "d", ("a", "b")) == [Feed("a", 0, 2), Feed("b", 2, 5)]
    assert feeds_of(JOINED, "e", ("a", "b")) == []


def test_filters_of_groups_have_no_weight_for_other_groups():
    weight = np.arange(1.0, 8.0).reshape(7, 1, 1, 1)
    kernels = full_kernels(JOINED, "c", lambda _: weight)
    assert np.array_equal(kernels[..., 0, 0], np.diag(np.arange(1.0, 8)))


def test_filters_of_a_fully_connected_layer_are_as_large_as_the_map():
    weight = np.arange(3 * 6 * 16.0).reshape(3, -1)
    kernels = full_kernels(JOINED, "e", lambda _: weight)
    assert kernels.shape == (3, 6, 4, 4)
    assert kernels[1, 2, 3, 0] == weight[1, 2 * 16 + 3 * 4]
