import pytest

from pipeline.network.architectures import build_chain
from pipeline.network.geometry import seed_of, windows
from pipeline.network.ops import Conv, MaxPool


def field_windows(graph, layer):
    return windows(graph, seed_of(graph, layer))


PAPER = {  # paper.md, sections 1 and 4: size, jump; the start is centre − (size − 1) / 2
    ("zfnet", "conv1"): (7, 2, 0),
    ("zfnet", "conv2"): (27, 8, 0),
    ("zfnet", "conv3"): (75, 16, -16),
    ("zfnet", "conv4"): (107, 16, -32),
    ("zfnet", "conv5"): (139, 16, -48),
    ("alexnet", "conv1"): (11, 4, 0),
    ("alexnet", "conv2"): (51, 8, -16),
    ("alexnet", "conv3"): (99, 16, -32),
    ("alexnet", "conv5"): (163, 16, -64),
}


@pytest.mark.parametrize(("arch", "layer"), PAPER)
def test_the_lowest_window_is_the_receptive_field(arch, layer):
    rows, cols = field_windows(build_chain(arch, 10, 224), layer)[0]
    assert (rows.size, rows.jump, rows.start) == PAPER[arch, layer]
    assert cols == rows


def test_windows_of_zfnet_conv5_on_the_way_down_are_those_of_pencil_and_paper():
    graph = build_chain("zfnet", 10, 224)
    found = field_windows(graph, "conv5")
    fed = [at - 1 for at in found if isinstance(graph.nodes[at].op, Conv | MaxPool)]
    assert [found[at][0].size for at in sorted(fed)] == [139, 67, 33, 15, 7, 5, 3]


def test_a_fully_connected_unit_sees_the_whole_map_of_every_pool():
    graph = build_chain("zfnet", 10, 224)
    for at, node in enumerate(graph.nodes):
        if isinstance(node.op, MaxPool):
            for window in field_windows(graph, "fc7")[at - 1]:
                assert window.whole
