import pytest

from pipeline.errors import AtlasError
from pipeline.network.graph import Graph, Node
from pipeline.network.ops import Curve, Input
from pipeline.network.selection import selected
from tests.pipeline.network.small_graphs import joined


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (["default"], ["stem", "mix"]),
        (["cuts"], ["stem", "block", "mix", "head"]),
        (["all"], list(joined().layers)),
        (["mix.*", "stem"], ["stem", "mix.one", "mix.five"]),
        (["block.?", "block.b"], ["block.a", "block.b"]),
    ],
)
def test_words_names_and_patterns_pick_layers_in_the_networks_order(wanted, names):
    assert [layer.name for layer in selected(joined(), wanted)] == names


def test_a_network_without_layers_is_refused():
    graph = Graph(
        (Node(Input(), (), (3, 4, 4), ""), Node(Curve("relu"), (0,), (3, 4, 4), "act")), 1
    )
    with pytest.raises(AtlasError, match=r"^The network has no layers\. Take one with a conv"):
        selected(graph, ["default"])


def test_what_fits_no_layer_is_refused_by_name():
    with pytest.raises(AtlasError, match=r"no layer 'layer4\.\*'; it has stem"):
        selected(joined(), ["stem", "layer4.*"])
