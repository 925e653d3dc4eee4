from dataclasses import replace

import pytest

from pipeline.network.graph import Graph
from pipeline.network.graph_check import graph_fault, op_fault
from pipeline.network.ops import (
    Add,
    Cat,
    Conv,
    Curve,
    Input,
    Linear,
    LocalResponseNorm,
    MapNorm,
    MaxPool,
    Mul,
    Pad,
    Resample,
    Select,
)
from pipeline.network.window import Window, square
from tests.pipeline.network.small_graphs import joined

MAP = (4, 6, 6)
SOUND = [
    (Input(), MAP, []),
    (Add(), MAP, [MAP, MAP]),
    (Cat(), (7, 6, 6), [MAP, (3, 6, 6)]),
    (Mul(), MAP, [MAP, (4, 1, 1)]),
    (Mul(), MAP, [MAP, (1, 6, 6)]),
    (Conv(square(3, 1, 1), "w", groups=2), (6, 6, 6), [MAP]),
    (Linear("w"), (9, 1, 1), [MAP]),
    (Select((3, 3)), (2, 6, 6), [MAP]),
    (Pad((-5, 0)), (4, 1, 6), [MAP]),
    (Resample("linear"), (4, 10, 2), [MAP]),
    (Resample("linear", (1.6, 0.4)), (4, 9, 2), [MAP]),
]
UNSOUND = [
    (Input(), MAP, [MAP], "reads another node"),
    (Add(), MAP, [MAP], "cannot make"),
    (Add(), MAP, [MAP, (4, 1, 1)], "cannot make"),
    (Cat(), (8, 6, 6), [MAP, (3, 6, 6)], "cannot make"),
    (Mul(), MAP, [MAP, (3, 1, 1)], "cannot make"),
    (Mul(), MAP, [MAP, (1, 6, 1)], "cannot make"),
    (Curve("relu"), MAP, [MAP, MAP], "reads 2 nodes"),
    (Curve("relu"), (4, 6, 5), [MAP], "cannot make"),
    (Conv(square(3, 1, 1), "w", groups=3), (6, 6, 6), [MAP], "do not divide into 3 groups"),
    (Conv(square(3), "w"), (6, 3, 6), [MAP], "does not give (3, 6) cells"),
    (Conv(Window((0, 1)), "w"), MAP, [MAP], "its window is"),
    (MaxPool(square(2, 2)), (4, 4, 3), [MAP], "does not give"),
    (MaxPool(Window((2, 2), before=(2, 0))), (4, 7, 5), [MAP], "does not give"),
    (MaxPool(square(2, 2)), (3, 3, 3), [MAP], "cannot make"),
    (Linear("w"), (9, 6, 6), [MAP], "cannot make"),
    (MapNorm(3, None, None, 0.1), MAP, [MAP], "cannot make"),
    (LocalResponseNorm(5, float("nan"), 0.75, 2.0), MAP, [MAP], "cannot make"),
    (LocalResponseNorm(5, 1.0, 0.75, 0.0), MAP, [MAP], "cannot make"),
    (Select((4,)), (1, 6, 6), [MAP], "cannot make"),
    (Resample("linear", (1.6, 0.4)), (4, 10, 2), [MAP], "cannot make"),
    (Resample("linear", (1e308, float("nan"))), (4, 10, 2), [MAP], "cannot make"),
    (Resample("mean", (1.5, 0.5)), (4, 9, 3), [MAP], "cannot make"),
    (Pad((-6, 0)), (4, 1, 6), [MAP], "cannot make"),
    (Pad((0, 0), float("inf")), MAP, [MAP], "cannot make"),
]


@pytest.mark.parametrize(("op", "above", "below"), SOUND)
def test_an_operation_between_maps_that_fit_has_no_fault(op, above, below):
    assert op_fault(op, above, below) is None


@pytest.mark.parametrize(("op", "above", "below", "words"), UNSOUND)
def test_an_operation_between_maps_that_do_not_fit_has_a_fault(op, above, below, words):
    assert words in (op_fault(op, above, below) or "")


def changed(position, **facts):
    """The graph of the other tests with one node changed."""
    nodes = list(joined().nodes)
    nodes[position] = replace(nodes[position], **facts)
    return Graph(tuple(nodes), 20)


@pytest.mark.parametrize(
    ("graph", "words"),
    [
        (replace(joined(), output=21), "its output is not one of its nodes"),
        (changed(0, op=Curve("relu")), "node 0 (Curve, ''): node 0, and no other, is the input"),
        (changed(3, inputs=(3,)), "node 3 (Curve, 'act'): it reads a node that does not come"),
        (changed(3, shape=(8, 0, 14)), "node 3 (Curve, 'act'): its shape is (8, 0, 14)"),
        (changed(3, shape=(8, 17, 1 << 25)), "its shape is"),
        (changed(3, shape=(8, 17, 13)), "it cannot make a map of (8, 17, 13) out of (8, 17, 14)"),
        (
            changed(12, op=Conv(square(5, 1, 2), "stem.weight")),
            "the weight 'stem.weight' has two shapes",
        ),
    ],
)
def test_the_first_fault_of_a_graph_is_named_with_its_node(graph, words):
    assert words in (graph_fault(graph) or "")


def test_a_sound_graph_has_none():
    assert graph_fault(joined()) is None
