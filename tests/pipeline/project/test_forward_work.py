from pipeline.project.forward_work import whole_macs, window_macs
from pipeline.project.method import recorded
from tests.pipeline.project.oracle import random_network


def test_work_is_counted_as_in_the_papers_table():
    # paper.md: conv1 172 M and conv2 416 M on the whole image; a conv5 window 67² and 15².
    network = random_network(width=1.0, input_px=224)
    nodes = recorded(network.graph, "conv5", "deconvnet")
    assert whole_macs(network.graph, nodes) == 110**2 * 96 * 147 + 26**2 * 256 * 2400
    assert window_macs(network.graph, "conv5", nodes) == 67**2 * 96 * 147 + 15**2 * 256 * 2400
    assert recorded(network.graph, "conv1", "deconvnet") == ()
    assert window_macs(network.graph, "conv1", ()) == whole_macs(network.graph, ()) == 0
