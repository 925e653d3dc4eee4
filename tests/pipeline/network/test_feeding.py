from pipeline.network.feeding import INPUT, layer_feeds, layer_kind
from pipeline.network.graph import Graph, Node
from pipeline.network.ops import Add, Cat, Conv, Input
from pipeline.network.window import square


def conv(name: str, feeding: int, channels: int) -> Node:
    return Node(Conv(square(1), f"{name}.weight"), (feeding,), (channels, 4, 4), name)


JOINED = Graph(
    (
        Node(Input(), (), (3, 4, 4)),
        conv("a", 0, 2),
        conv("b", 0, 5),
        Node(Cat(), (1, 2), (7, 4, 4), "cat"),
        conv("c", 3, 7),
        Node(Add(), (3, 4), (7, 4, 4), "sum"),
        conv("d", 5, 6),
    ),
    output=6,
)


def test_a_layer_is_fed_by_those_next_below_it_or_by_the_input():
    assert JOINED.layers == ("a", "b", "cat", "c", "sum", "d")
    assert layer_feeds(JOINED) == [[INPUT], [INPUT], [0, 1], [2], [2, 3], [4]]


def test_a_layer_is_made_of_filters_a_sum_or_a_concatenation():
    kinds = [layer_kind(JOINED, layer) for layer in JOINED.layer_list]
    assert kinds == ["filters", "filters", "joined", "filters", "sum", "filters"]
