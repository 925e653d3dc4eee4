from itertools import pairwise

import pytest

from atlas_site.graph_map import WIDTH, diagram
from pipeline.network.architectures import Variant, build_chain
from tests.atlas_site.plain_layers import layer
from tests.pipeline.network.small_graphs import joined


@pytest.fixture(scope="module")
def drawn():
    return diagram(joined(), [layer("mix", 9, 10, 27)])


def test_every_layer_has_one_box_within_the_picture_and_no_two_meet(drawn):
    assert [box.name for box in drawn.boxes] == list(joined().layers)
    assert all(0 < box.x < WIDTH and 0 < box.y < drawn.height for box in drawn.boxes)
    assert len({(box.x, box.y) for box in drawn.boxes}) == len(drawn.boxes)


def test_layers_of_the_atlas_are_links_and_joins_are_distinguished(drawn):
    kinds = {box.name: (box.kind, box.href) for box in drawn.boxes}
    assert kinds["stem"] == ("filters", "")
    assert kinds["block"] == ("sum", "")
    assert kinds["mix"] == ("joined", "mix.html")
    assert drawn.shown == 1


def test_wires_run_from_each_layer_to_those_that_it_feeds(drawn):
    place = {box.name: (f"M{box.x:.1f} {box.y:.1f}", box.x, box.y) for box in drawn.boxes}
    expected = [
        ("stem", "block.a"),
        ("block.a", "block.b"),
        ("block.b", "block"),
        ("stem", "block"),
        ("block", "mix.one"),
        ("block", "mix.five"),
        ("mix.one", "mix"),
        ("mix.five", "mix"),
        ("mix", "head"),
    ]
    assert len(drawn.wires) == len(expected)
    for start, _ in expected:
        assert any(wire.startswith(place[start][0]) for wire in drawn.wires)
    assert sum("V" in wire for wire in drawn.wires) == 3  # to the next row: twice from stem


def test_rows_are_the_map_sizes_in_order(drawn):
    assert [row.size for row in drawn.rows] == ["17 × 14", "9 × 7", "1 × 1"]
    assert all(above.y < below.y for above, below in pairwise(drawn.rows))


def test_a_chain_is_not_drawn():
    graph = build_chain("zfnet", 5, 96, Variant(0.1, {}, 200, (), 0.0))
    assert diagram(graph, []) is None
