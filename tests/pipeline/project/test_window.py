import pytest
import torch

from pipeline.network.architectures import build_chain
from pipeline.project.window import Span, pools_below, spans

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
    lowest = spans(build_chain(arch, 10, 224), layer)[0]
    assert (lowest.size, lowest.jump, lowest.start) == PAPER[arch, layer]


def test_windows_of_zfnet_conv5_on_the_way_down_are_those_of_pencil_and_paper():
    chain = build_chain("zfnet", 10, 224)
    sizes = {
        type(op).__name__ + str(at): spans(chain, "conv5")[at].size
        for at, op in enumerate(chain.ops[:13])
        if type(op).__name__ in ("Conv", "MaxPool")
    }
    assert list(sizes.values()) == [139, 67, 33, 15, 7, 5, 3]


def test_a_fully_connected_unit_sees_the_whole_map_of_every_pool():
    chain = build_chain("zfnet", 10, 224)
    for at in pools_below(chain, "fc7"):
        window = spans(chain, "fc7")[at]
        assert window.jump == 0
        assert window.start <= 0
        assert window.start + window.size >= chain.sizes[at - 1]


def test_inside_marks_the_cells_on_the_map():
    span = Span(size=3, jump=1, start=-1, map_size=4)
    inside = span.inside(torch.tensor([[0, 3]]))
    assert inside[0, 0].int().tolist() == [[0, 0, 0], [1, 1, 0], [1, 1, 0]]
    assert span.inside(torch.tensor([[1, 2]])) is None
