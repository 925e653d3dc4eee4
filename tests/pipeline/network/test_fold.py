import torch

from pipeline.network.fold import folded
from pipeline.network.graph import Graph, Node
from pipeline.network.module import Network
from pipeline.network.ops import BatchNorm, Conv, Curve, Input, Scale
from pipeline.network.window import square
from tests.pipeline.network.small_graphs import joined

NORM = BatchNorm("mean", "variance", "factor", "shift", 0.25)
WEIGHTS = {
    "w": torch.tensor([[[[3.0]]]]),
    "mean": torch.tensor([5.0]),
    "variance": torch.tensor([3.75]),
    "factor": torch.tensor([8.0]),
    "shift": torch.tensor([1.0]),
}
"""The norm is (x − 5) / 2 · 8 + 1, so after the convolution 12 x − 19."""


def network(*links):
    """A chain of one channel with the weights above."""
    nodes = [Node(Input(), (), (1, 4, 4))]
    nodes += [Node(op, (n,), (1, 4, 4), str(n)) for n, op in enumerate(links)]
    made = Network(Graph(tuple(nodes), len(links)))
    made.load_state_dict({name: WEIGHTS[name] for name in made.graph.tensors})
    return made.eval()


def test_a_norm_that_alone_follows_a_convolution_goes_into_its_weights():
    result = folded(network(Conv(square(1), "w"), NORM, Curve("relu")))
    conv = result.graph.nodes[1].op
    assert isinstance(conv, Conv)
    assert result.tensor(conv.weight).flatten().tolist() == [12]
    assert result.tensor(conv.bias).tolist() == [-19]
    assert result.graph.nodes[2].op == Scale(None, None)
    assert set(result.state_dict()) == {conv.weight, conv.bias}


def test_a_norm_above_a_convolution_becomes_a_factor_and_a_shift():
    result = folded(network(NORM, Conv(square(1), "w")))
    scale = result.graph.nodes[1].op
    assert isinstance(scale, Scale)
    assert result.tensor(scale.factor).tolist() == [4]
    assert result.tensor(scale.shift).tolist() == [-19]
    assert result.tensor("w").item() == 3


def test_a_convolution_that_two_nodes_read_keeps_its_weights():
    nodes = (
        Node(Input(), (), (1, 4, 4)),
        Node(Conv(square(1), "w"), (0,), (1, 4, 4), "conv"),
        Node(NORM, (1,), (1, 4, 4), "norm"),
        Node(Curve("relu"), (1,), (1, 4, 4), "curve"),
    )
    made = Network(Graph(nodes, 2))
    made.load_state_dict(WEIGHTS)
    result = folded(made)
    assert result.graph.nodes[1].op == nodes[1].op
    assert result.tensor("w").item() == 3
    assert result(torch.full((1, 1, 4, 4), 2.0)).flatten().tolist() == [5.0] * 16  # 12 · 2 − 19


def test_layers_keep_their_names_and_a_network_without_norms_is_returned_as_it_is():
    before = Network(joined())
    result = folded(before)
    assert result.graph.layers == joined().layers
    assert not any(isinstance(node.op, BatchNorm) for node in result.graph.nodes)
    assert folded(network(Conv(square(1), "w"))).tensor("w").item() == 3
