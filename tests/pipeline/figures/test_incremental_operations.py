"""Every operation of a network, at every place of a patch, against whole forward passes."""

from itertools import product

import pytest
import torch

from pipeline.figures.incremental import IncrementalForward
from pipeline.network.graph import Graph, Node
from pipeline.network.module import Network
from pipeline.network.ops import (
    Add,
    BatchNorm,
    Cat,
    ChannelNorm,
    Conv,
    Curve,
    CurveKind,
    Dropout,
    Input,
    Linear,
    LocalResponseNorm,
    MapNorm,
    MaxPool,
    MeanPool,
    Mul,
    Pad,
    Resample,
    Scale,
    Select,
)
from pipeline.network.window import Window, square
from tests.pipeline.figures.networks import drawn

MAP = (4, 9, 8)
SIDE = 4
WIDE = Window((5, 3), (2, 1), (1, 2), (1, 2))
"""Rectangular, with a dilation."""

ONE_OPERATION = {
    "dilation": (Conv(Window((3, 3), (1, 1), (2, 2), (2, 2)), "x.weight"), (6, 9, 8)),
    "rectangle": (Conv(WIDE, "x.weight", "x.bias"), (6, 4, 8)),
    "groups": (Conv(square(3, 2, 1), "x.weight", groups=2), (6, 5, 4)),
    "cut-off": (Conv(square(3, 3), "x.weight"), (6, 3, 2)),
    "max, completed": (MaxPool(square(3, 2)), (4, 4, 4)),
    "max, dilation": (MaxPool(Window((2, 2), (1, 1), (1, 1), (2, 2))), MAP),
    "mean": (MeanPool(square(2, 2)), (4, 4, 4)),
    "mean, border counted": (MeanPool(square(3, 2, 1)), (4, 5, 4)),
    "mean, border not counted": (MeanPool(square(3, 1, 1), counts_padding=False), MAP),
    "mean, completed": (MeanPool(square(3, 2)), (4, 4, 4)),
    "mean, divisor": (MeanPool(WIDE, divisor=3), (4, 4, 8)),
    "border": (Pad((1, 3), 0.5), (4, 13, 11)),
    "border that cuts": (Pad((-2, -1)), (4, 5, 6)),
    "border that moves": (Pad((-2, 1), -0.5), (4, 10, 8)),
    "select": (Select((3, 0, 0, 2, 1)), (5, 9, 8)),
    "each cell": (Linear("x.weight", "x.bias", per_cell=True), (5, 9, 8)),
    "batch norm": (BatchNorm("x.mean", "x.variance", "x.weight", "x.bias", 1e-3), MAP),
    "scale": (Scale("x.factor", "x.shift"), MAP),
    "channel norm": (ChannelNorm("x.weight", "x.bias", 1e-3), MAP),
    "map norm": (MapNorm(2, "x.weight", "x.bias", 1e-3), MAP),
    "response norm": (LocalResponseNorm(3, 0.1, 0.75, 2.0), MAP),
    "dropout": (Dropout(0.5), MAP),
    "enlarged": (Resample("linear"), (4, 13, 11)),
    "enlarged by a factor": (Resample("linear", (1.5, 1.3)), (4, 13, 10)),
}
CURVES: tuple[CurveKind, ...] = (
    *("silu", "gelu", "hardswish", "elu", "tanh", "mish", "leaky_relu", "gelu_tanh", "softplus"),
    *("hardsigmoid", "sigmoid", "relu6"),
)
GATE = (
    Node(Resample("mean"), (1,), (4, 1, 1)),
    Node(Conv(square(1), "x.weight", "x.bias"), (2,), (4, 1, 1), "x"),
    Node(Curve("sigmoid"), (3,), (4, 1, 1)),
    Node(Mul(), (1, 4), MAP),
)
SEVERAL = {
    "curves": tuple(Node(Curve(kind, 0.1), (at,), MAP) for at, kind in enumerate(CURVES, 1)),
    "gate of numbers": GATE,
    "gate of one channel": (
        Node(Conv(square(3, 1, 1), "x.weight"), (1,), (1, 9, 8), "x"),
        Node(Curve("sigmoid"), (2,), (1, 9, 8)),
        Node(Mul(), (1, 3), MAP),
    ),
    "gate of maps": (Node(Curve("hardsigmoid"), (1,), MAP), Node(Mul(), (1, 2), MAP)),
    "sum of fields": (
        Node(Conv(square(5, 1, 2), "x.weight"), (1,), MAP, "x"),
        Node(Add(), (1, 2), MAP),
    ),
    "branches": (
        Node(MeanPool(square(3, 1, 1)), (1,), MAP),
        Node(Cat(), (2, 1), (8, 9, 8)),
    ),
}
"""What comes after the first convolution."""
CASES = {name: (Node(op, (1,), shape, "x"),) for name, (op, shape) in ONE_OPERATION.items()}


def network_with(middle: tuple[Node, ...]) -> Network:
    """A convolution, these nodes, a convolution that reads a border, and two scores."""
    _, rows, cols = middle[-1].shape
    last = len(middle) + 1
    nodes = (
        Node(Input(), (), (3, 18, 16)),
        Node(Conv(square(3, 2, 1), "a.weight", "a.bias"), (0,), MAP, "a"),
        *middle,
        Node(Conv(square(3, 1, 1), "b.weight"), (last,), (3, rows, cols), "b"),
        Node(Linear("c.weight"), (last + 1,), (2, 1, 1), "c"),
    )
    network = drawn(Graph(nodes, last + 2))
    for name, values in network.state_dict().items():
        if name == "x.variance":
            values.abs_().add_(0.5)
    return network


@pytest.mark.parametrize("middle", [*CASES.values(), *SEVERAL.values()], ids=[*CASES, *SEVERAL])
def test_every_place_gives_what_a_whole_forward_pass_gives(middle):
    network = network_with(middle)
    graph, rng = network.graph, torch.Generator().manual_seed(1)
    image = torch.randn(1, *graph.input, generator=rng)
    corner = torch.tensor(list(product(*(range(size - SIDE + 1) for size in graph.input[1:]))))
    patches = torch.randn(len(corner), 3, SIDE, SIDE, generator=rng)
    whole = image.repeat(len(corner), 1, 1, 1)
    for place, (row, col) in enumerate(corner.tolist()):
        whole[place, :, row : row + SIDE, col : col + SIDE] = patches[place]
    wanted = [len(middle) + 1, len(middle) + 2, graph.output]
    forward = IncrementalForward(network, image, wanted)
    changed = forward(corner, patches)
    for node, expected in network.run(whole, wanted).items():
        assert float(expected.std()) > 0
        worst = (forward.whole(node, changed[node]) - expected).abs().max()
        assert worst <= 1e-5 * expected.abs().max()


WHOLE = {"map norm", "enlarged", "enlarged by a factor"}
"""Operations of which every output depends on the whole map."""


@pytest.mark.parametrize("name", sorted(CASES.keys() - WHOLE))
def test_a_small_patch_leaves_most_of_a_map_alone(name):
    network = network_with(CASES[name])
    forward = IncrementalForward(network, torch.zeros(1, *network.graph.input), [2])
    changed = forward(torch.tensor([[9, 8]]), torch.ones(1, 3, 2, 2))[2]
    assert all(0 < axis.size < axis.cells for axis in changed.reach)
