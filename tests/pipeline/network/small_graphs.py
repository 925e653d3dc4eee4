"""Small graphs with joins, written by hand."""

from pipeline.network.graph import Graph, Node
from pipeline.network.ops import (
    Add,
    BatchNorm,
    Cat,
    Conv,
    Curve,
    Input,
    Linear,
    MaxPool,
    Mul,
    Op,
    Resample,
    Shape,
)
from pipeline.network.window import square

RELU = Curve("relu")


def _norm(name: str) -> BatchNorm:
    return BatchNorm(f"{name}.mean", f"{name}.var", f"{name}.weight", f"{name}.bias", 1e-5)


def joined() -> Graph:
    """A stem, a residual block, a concatenation of two branches and a gate."""
    nodes = (
        Node(Input(), (), (3, 33, 27)),
        Node(Conv(square(3, 2, 1), "stem.weight"), (0,), (8, 17, 14), "stem"),
        Node(_norm("bn"), (1,), (8, 17, 14), "bn"),
        Node(RELU, (2,), (8, 17, 14), "act"),
        Node(MaxPool(square(3, 2, 1)), (3,), (8, 9, 7), "pool"),
        Node(Conv(square(3, 1, 1), "block.a.weight"), (4,), (8, 9, 7), "block.a"),
        Node(RELU, (5,), (8, 9, 7), "block.act"),
        Node(
            Conv(square(3, 1, 1), "block.b.weight", "block.b.bias"),
            (6,),
            (8, 9, 7),
            "block.b",
        ),
        Node(Add(), (7, 4), (8, 9, 7), "block"),
        Node(RELU, (8,), (8, 9, 7), "block.act"),
        Node(Conv(square(1), "mix.one.weight"), (9,), (4, 9, 7), "mix.one"),
        Node(RELU, (10,), (4, 9, 7), "mix.act"),
        Node(Conv(square(5, 1, 2), "mix.five.weight"), (9,), (6, 9, 7), "mix.five"),
        Node(RELU, (12,), (6, 9, 7), "mix.act"),
        Node(Cat(), (11, 13), (10, 9, 7), "mix"),
        Node(Resample("mean"), (14,), (10, 1, 1), "gate.pool"),
        Node(Conv(square(1), "gate.fc.weight", "gate.fc.bias"), (15,), (10, 1, 1), "gate.fc"),
        Node(Curve("sigmoid"), (16,), (10, 1, 1), "gate.act"),
        Node(Mul(), (14, 17), (10, 9, 7), "gate"),
        Node(Resample("mean"), (18,), (10, 1, 1), "pool"),
        Node(Linear("head.weight", "head.bias"), (19,), (5, 1, 1), "head"),
    )
    return Graph(nodes, 20)


def conv(
    name: str, out: int, kernel: int, stride: int = 1, padding: int = 0, groups: int = 1
) -> tuple[str, Conv, int]:
    """A named convolution of a chain, and its output channels."""
    window = square(kernel, stride, padding)
    return name, Conv(window, f"{name}.weight", f"{name}.bias", groups), out


def chained(shape: Shape, *links: Op | tuple[str, Op, int]) -> Graph:
    """A graph of operations one after the other; windows are completed as cuda-convnet's."""
    nodes = [Node(Input(), (), shape)]
    for link in links:
        name, op, channels = link if isinstance(link, tuple) else ("", link, nodes[-1].shape[0])
        size = nodes[-1].shape[1:]
        if isinstance(op, Conv | MaxPool):
            size = op.window.completed(size)
        nodes.append(Node(op, (len(nodes) - 1,), (channels, *size), name))
    return Graph(tuple(nodes), len(nodes) - 1)
