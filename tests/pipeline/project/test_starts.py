"""Where a unit's signal starts, on a concatenation and scales written by hand."""

import pytest
import torch

from pipeline.network.graph import Graph, Node
from pipeline.network.module import Network
from pipeline.network.ops import Cat, Conv, Curve, Input, Scale
from pipeline.network.window import square
from pipeline.project.starts import starts_of


def network():
    """Convolutions 1 (2 channels) and 2 (3), of which the second is scaled; both in one map."""
    nodes = (
        Node(Input(), (), (3, 4, 4)),
        Node(Conv(square(1), "a.weight"), (0,), (2, 4, 4), "a"),
        Node(Conv(square(1), "b.weight"), (0,), (3, 4, 4), "b"),
        Node(Scale("b.factor", "b.shift"), (2,), (3, 4, 4), "b"),
        Node(Cat(), (1, 3), (5, 4, 4), "both"),
        Node(Scale("all.factor", None), (4,), (5, 4, 4), "all"),
        Node(Curve("relu"), (5,), (5, 4, 4), "all"),
    )
    made = Network(Graph(nodes, 6)).eval().requires_grad_(False)
    made.tensor("b.factor").copy_(torch.tensor([1.0, 3.0, 5.0]))
    made.tensor("all.factor").copy_(torch.tensor([2.0, 2.0, 2.0, 2.0, -0.5]))
    return made


def test_units_of_a_concatenation_start_in_the_branch_of_their_channel():
    found = starts_of(network(), 5)
    assert found is not None
    assert found.node.tolist() == [1, 1, 2, 2, 2]
    assert found.channel.tolist() == [0, 1, 0, 1, 2]
    assert found.factor.tolist() == [2, 2, 2, 6, -2.5]


@pytest.mark.parametrize("node", [1, 6])
def test_what_is_neither_scale_nor_concatenation_is_the_start_itself(node):
    assert starts_of(network(), node) is None
