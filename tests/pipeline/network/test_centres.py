"""The places of units whose field is the image, from strides and padding alone."""

import numpy as np
import pytest

from pipeline.network.centres import Squares, unit_centres, unit_squares
from pipeline.network.graph import Graph, Node
from pipeline.network.ops import Add, Conv, Curve, Input, Linear, MapNorm
from pipeline.network.receptive_field import receptive_field
from pipeline.network.window import Window
from tests.pipeline.network.small_graphs import chained, conv

CELLS = np.array([[0, 0], [2, 1]], np.int32)
HALVED = [conv(name, 4, 5, stride=2, padding=2) for name in "abc"]
"""Three halvings around the pixels 0, 2, 4 …: together around 0, 8, 16 …, over 29 pixels."""


@pytest.mark.parametrize("px", [24, 64])
def test_a_unit_is_where_its_strides_put_it_however_large_the_image_is(px):
    graph = chained((3, px, px), *HALVED)
    field = receptive_field(graph, "c")
    assert field.size == (min(px, 29),) * 2
    assert unit_centres(graph, "c", CELLS).tolist() == [[0.5, 0.5], [16.5, 8.5]]
    assert unit_squares(graph, "c") == Squares((-3.5, -3.5), (8.0, 8.0))


def test_a_unit_in_the_padding_is_at_the_nearest_pixel():
    graph = chained((3, 9, 9), conv("a", 4, 3, stride=4, padding=3))  # over −3 … −1, 1 … 3, 5 … 7
    assert unit_centres(graph, "a", CELLS).tolist() == [[0.5, 0.5], [6.5, 2.5]]


def test_a_unit_that_sees_all_by_its_weights_is_in_the_middle():
    top = Node(Linear("d.weight"), (3,), (5, 1, 1), "d")
    graph = Graph((*chained((3, 24, 24), *HALVED).nodes, top), 4)
    assert unit_centres(graph, "d", CELLS[:1]).tolist() == [[12, 12]]
    assert unit_squares(graph, "d") == Squares((0.0, 0.0), (24.0, 24.0))


def test_the_norm_of_a_map_and_a_path_around_leave_a_unit_where_it_is():
    one = Window((5, 5), (1, 1), (2, 2))
    halved = Window((5, 5), (2, 2), (2, 2))
    nodes = (
        Node(Input(), (), (3, 6, 8)),
        Node(Conv(halved, "a.weight"), (0,), (4, 3, 4), "a"),
        Node(MapNorm(2, None, None, 1e-5), (1,), (4, 3, 4), "norm"),
        Node(Curve("relu"), (2,), (4, 3, 4)),
        Node(Conv(one, "b.weight"), (3,), (4, 3, 4), "b"),
        Node(Add(), (4, 1), (4, 3, 4), "sum"),
    )
    graph = Graph(nodes, 5)
    assert receptive_field(graph, "sum").size == (6, 8)
    assert unit_centres(graph, "sum", CELLS).tolist() == [[0.5, 0.5], [4.5, 2.5]]


def test_along_each_axis_the_strides_are_its_own():
    window = Window((5, 3), (2, 1), (2, 1))
    nodes = (Node(Input(), (), (1, 4, 6)), Node(Conv(window, "a.weight"), (0,), (4, 2, 6), "a"))
    graph = Graph(nodes, 1)
    assert unit_squares(graph, "a") == Squares((-0.5, 0.0), (2.0, 1.0))
    assert receptive_field(graph, "a").size == (4, 3)  # as large as the image along rows alone
    cells = np.array([[1, 0]], np.int32)
    assert unit_centres(graph, "a", cells).tolist() == [[2.5, 0.5]]
