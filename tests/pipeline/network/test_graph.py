from dataclasses import replace

from pipeline.network.graph import Graph, Node
from pipeline.network.ops import Add, Conv, Input
from pipeline.network.window import square
from tests.pipeline.network.small_graphs import RELU, joined


def test_layers_are_convolutions_sums_and_concatenations_but_no_gates():
    graph = joined()
    assert graph.layers == (
        "stem",
        "block.a",
        "block.b",
        "block",
        "mix.one",
        "mix.five",
        "mix",
        "head",
    )
    assert graph.conv_layers == ("stem", "block.a", "block.b", "mix.one", "mix.five")


def test_a_layer_ends_after_the_norm_and_the_curve_that_alone_follow():
    ends = {layer.name: (layer.node, layer.rectified) for layer in joined().layer_list}
    assert ends["stem"] == (3, True)
    assert ends["block.b"] == (7, False)
    assert ends["block"] == (9, True)
    assert ends["mix"] == (14, True)
    assert ends["head"] == (20, False)


def test_cuts_are_the_layers_that_every_path_passes():
    cuts = [layer.name for layer in joined().layer_list if layer.cut]
    assert cuts == ["stem", "block", "mix", "head"]


def test_a_second_layer_of_one_path_gets_a_number():
    conv = Conv(square(1), "a.weight")
    nodes = (
        Node(Input(), (), (3, 4, 4)),
        Node(conv, (0,), (3, 4, 4), "a"),
        Node(RELU, (1,), (3, 4, 4), "r"),
        Node(conv, (2,), (3, 4, 4), "a"),
        Node(Add(), (3, 2), (3, 4, 4), ""),
    )
    assert Graph(nodes, 4).layers == ("a", "a__2", "")


def test_ancestors_and_users_follow_the_inputs():
    graph = joined()
    assert graph.ancestors(6) == (0, 1, 2, 3, 4, 5, 6)
    assert graph.ancestors(10) == (*range(10), 10)
    assert graph.users[9] == (10, 12)
    assert replace(graph, output=9).users == graph.users


def test_tensors_have_the_shapes_that_the_operations_need():
    shapes = joined().tensors
    assert shapes["stem.weight"] == (8, 3, 3, 3)
    assert shapes["bn.var"] == (8,)
    assert shapes["head.weight"] == (5, 10)
    assert "stem.bias" not in shapes
