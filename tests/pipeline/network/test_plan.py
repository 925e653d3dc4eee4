"""Which nodes run at once, and that what they give is what the network itself gives."""

import pytest
import torch

from pipeline.network.fold import folded
from pipeline.network.graph import Graph, Node
from pipeline.network.module import Network
from pipeline.network.ops import Add, Conv, Curve, Input
from pipeline.network.plan import head_start, planned
from pipeline.network.window import square
from tests.pipeline.network.small_graphs import chained, conv, joined
from tests.pipeline.project.oracle import with_random_weights


def network(graph):
    return with_random_weights(Network(graph).eval(), torch.Generator().manual_seed(0)).float()


def carried_out(steps, image):
    """The outputs by node, of the steps one after the other; each may overwrite its inputs."""
    maps = {0: image}
    for step in steps:
        maps[step.node] = step.run([maps[node] for node in step.inputs])
    return maps


@torch.no_grad()
@pytest.mark.parametrize("finite", [True, False])
def test_the_steps_give_what_the_network_gives(finite):
    plain = folded(network(joined()))
    image = torch.randn(2, 3, 33, 27, generator=torch.Generator().manual_seed(1))
    expected = plain(image)
    steps = planned(plain, [20], finite=finite)
    made = carried_out(steps, image.contiguous(memory_format=torch.channels_last))[20]
    torch.testing.assert_close(made.flatten(1), expected, rtol=1e-4, atol=1e-5)


def test_a_relu_runs_with_its_convolution_unless_it_would_hide_a_nan():
    graph = chained((3, 8, 8), conv("a", 4, 3), Curve("relu"), conv("b", 4, 3), Curve("relu"))
    made = network(graph)
    assert [step.node for step in planned(made, [4], finite=True)] == [2, 4]
    assert [step.node for step in planned(made, [4], finite=False)] == [1, 2, 3, 4]
    assert [step.node for step in planned(made, [1, 4], finite=True)] == [1, 2, 4]
    assert [step.node for step in planned(made, [2], finite=True)] == [2]


def test_a_sum_is_not_added_in_place_to_maps_that_are_read_afterwards():
    one = Conv(square(1), "w")
    nodes = (
        Node(Input(), (), (2, 3, 3)),
        Node(one, (0,), (2, 3, 3), "a"),
        Node(one, (1,), (2, 3, 3), "b"),
        Node(Add(), (2, 1), (2, 3, 3), "sum"),
        Node(Add(), (3, 1), (2, 3, 3), "again"),
    )
    made = network(Graph(nodes, 4))
    matrix = made.tensor("w")[:, :, 0, 0]
    with torch.no_grad():
        steps = planned(made, [4], finite=True)
        result = carried_out(steps, torch.ones(1, 2, 3, 3))[4]
        first = matrix @ torch.ones(2)
        expected = matrix @ first + 2 * first
    torch.testing.assert_close(result[0, :, 0, 0], expected)
    assert [step.node for step in steps] == [1, 2, 3, 4]


def test_the_head_starts_at_the_last_wide_map():
    assert head_start(joined(), range(1, 21)) == 18  # the last wide map, which the gate made
    chain = chained((3, 8, 8), conv("a", 4, 3), conv("b", 4, 6), Curve("relu"))
    assert head_start(chain, [1, 2, 3]) == 1


@torch.no_grad()
def test_a_convolution_does_not_add_itself_to_the_maps_that_it_reads():
    nodes = (
        Node(Input(), (), (3, 12, 12)),
        Node(Conv(square(3, padding=1), "a.weight"), (0,), (8, 12, 12), "a"),
        Node(Curve("relu"), (1,), (8, 12, 12), "a"),
        Node(Conv(square(3, padding=1), "b.weight"), (2,), (8, 12, 12), "b"),
        Node(Add(), (2, 3), (8, 12, 12), "sum"),
        Node(Curve("relu"), (4,), (8, 12, 12), "sum"),
    )
    made = network(Graph(nodes, 5))
    image = torch.randn(2, 3, 12, 12, generator=torch.Generator().manual_seed(1))
    image = image.contiguous(memory_format=torch.channels_last)
    expected = made.run(image, [5])[5]
    torch.testing.assert_close(carried_out(planned(made, [5], finite=True), image)[5], expected)
