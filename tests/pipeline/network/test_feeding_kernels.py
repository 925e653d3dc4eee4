"""Filters traced through sums, concatenations and norms, on graphs small enough to do by hand."""

import numpy as np

from pipeline.network.feeding_kernels import feeding_kernels, full_kernels
from pipeline.network.graph import Graph, Node
from pipeline.network.ops import Add, BatchNorm, Cat, Conv, Curve, Input, Linear, Select
from pipeline.network.window import square


def conv(name: str, feeding: int, channels: int, kernel: int = 1) -> Node:
    op = Conv(square(kernel, padding=kernel // 2), f"{name}.weight")
    return Node(op, (feeding,), (channels, 4, 4), name)


def relu(feeding: int, channels: int = 2) -> Node:
    return Node(Curve("relu"), (feeding,), (channels, 4, 4))


def network(nodes: tuple[Node, ...], **weights: list):
    """A graph and its weights by name."""
    named = {
        name.replace("__", "."): np.array(value, np.float32) for name, value in weights.items()
    }
    return Graph(nodes, output=len(nodes) - 1), named.__getitem__


def points(matrix: list[list[float]]) -> list:
    """Filters of one tap."""
    return [[[[weight]] for weight in row] for row in matrix]


NORM = BatchNorm("n.mean", "n.variance", "n.weight", "n.bias", 0.0)
RESIDUAL = network(
    (
        Node(Input(), (), (2, 4, 4)),
        conv("a", 0, 2),
        relu(1),
        conv("b", 2, 2, kernel=3),
        Node(NORM, (3,), (2, 4, 4)),
        Node(Add(), (4, 2), (2, 4, 4), "sum"),
        relu(5),
        conv("c", 6, 2),
        relu(7),
        conv("d", 8, 2),
        Node(Add(), (9, 6), (2, 4, 4), "sum2"),
    ),
    a__weight=points([[9, 9], [9, 9]]),
    b__weight=[
        [[[1, 0, 0], [0, 5, 0], [0, 0, 0]], [[0, 0, 0], [0, 0, 0], [0, 0, 7]]],
        [[[0, 0, 0], [0, 1, 0], [0, 0, 0]], [[0, 2, 0], [0, 3, 0], [0, 0, 0]]],
    ],
    n__mean=[8, 8],
    n__variance=[4, 4],
    n__weight=[2, -6],
    n__bias=[8, 8],
    c__weight=points([[1, 2], [3, 4]]),
    d__weight=points([[5, 6], [7, 8]]),
)
"""Its norm is a factor of 2 / √4 = 1 for channel 0 and −6 / √4 = −3 for channel 1."""


def found(name: str, *wanted: str) -> dict[str, list]:
    kernels = feeding_kernels(*RESIDUAL, name, wanted)
    return {layer: values.tolist() for layer, values in kernels.items()}


SUM_FROM_A = [
    [[[1, 0, 0], [0, 5 + 1, 0], [0, 0, 0]], [[0, 0, 0], [0, 0, 0], [0, 0, 7]]],
    [[[0, 0, 0], [0, -3, 0], [0, 0, 0]], [[0, -6, 0], [0, -9 + 1, 0], [0, 0, 0]]],
]
"""The filters of b times the factors, and 1 at the centre from each channel to the same."""


def test_a_sum_is_fed_by_its_branch_s_filters_and_a_unit_of_the_same_channel():
    assert found("sum", "a", "sum") == {"a": SUM_FROM_A}
    assert found("sum", "a", "b", "sum") == {
        "a": points([[1, 0], [0, 1]]),
        "b": points([[1, 0], [0, 1]]),  # the norm belongs to b's own activation
    }


def test_a_way_leads_through_a_sum_that_was_not_scanned():
    """To sum2 from a along the identity; on the other way d is a second layer behind c."""
    assert found("sum2", "a", "sum2") == {"a": SUM_FROM_A}
    assert found("sum2", "a", "c", "sum2") == {"a": SUM_FROM_A, "c": points([[5, 6], [7, 8]])}
    assert found("sum2", "sum", "sum2") == {"sum": points([[1, 0], [0, 1]])}


def test_filters_are_a_layer_s_own_and_those_of_a_sum_below_are_a_second():
    assert found("c", "sum", "c") == {"sum": points([[1, 2], [3, 4]])}
    assert found("c", "a", "c") == {"a": points([[1, 2], [3, 4]])}
    assert found("d", "a", "d") == {}
    assert found("a", "a", "b", "sum") == {}


def test_concatenations_and_selections_keep_to_their_channels():
    """p (2 channels) and q (1) side by side; then their channels in the order 2, 0, 1, 0."""
    joined = network(
        (
            Node(Input(), (), (1, 4, 4)),
            conv("p", 0, 2),
            conv("q", 0, 1),
            Node(Cat(), (1, 2), (3, 4, 4), "cat"),
            Node(Select((2, 0, 1, 0)), (3,), (4, 4, 4)),
            conv("r", 4, 1),
            Node(Cat(), (5, 3), (4, 4, 4), "both"),
        ),
        p__weight=points([[1], [1]]),
        q__weight=points([[1]]),
        r__weight=points([[1, 20, 300, 4000]]),
    )

    def traced(name: str, *wanted: str) -> dict[str, list]:
        kernels = feeding_kernels(*joined, name, wanted)
        return {layer: values[..., 0, 0].tolist() for layer, values in kernels.items()}

    assert traced("r", "cat") == {"cat": [[4020, 300, 1]]}
    assert traced("r", "p", "q") == {"p": [[4020, 300]], "q": [[1]]}
    assert traced("cat", "p", "q") == {"p": [[1, 0], [0, 1], [0, 0]], "q": [[0], [0], [1]]}
    assert traced("both", "p") == {"p": [[4020, 300], [1, 0], [0, 1], [0, 0]]}


def test_filters_of_groups_have_no_weight_for_other_groups():
    weight = np.arange(1.0, 8.0, dtype=np.float32).reshape(7, 1, 1, 1)
    kernels = full_kernels(Conv(square(1), "c", groups=7), (7, 4, 4), weight)
    assert np.array_equal(kernels[..., 0, 0], np.diag(np.arange(1.0, 8)))


def test_filters_of_a_fully_connected_layer_are_as_large_as_the_map():
    weight = np.arange(3 * 6 * 16.0, dtype=np.float32).reshape(3, -1)
    kernels = full_kernels(Linear("e"), (6, 4, 4), weight)
    assert kernels.shape == (3, 6, 4, 4)
    assert kernels[1, 2, 3, 0] == weight[1, 2 * 16 + 3 * 4]
