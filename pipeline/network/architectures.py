"""ZFNet and AlexNet with their variants, each a graph (Zeiler & Fergus 2013, Figure 3 and Table 3).

torchvision's AlexNet is another network: Krizhevsky, "One weird trick", arXiv 1404.5997.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod

from pipeline.errors import AtlasError
from pipeline.network.graph import Graph, Node
from pipeline.network.ops import (
    Conv,
    Curve,
    Dropout,
    Input,
    Linear,
    LocalResponseNorm,
    MaxPool,
    Op,
    Shape,
)
from pipeline.network.window import square

NORM = LocalResponseNorm(channels=5, alpha=1e-4, beta=0.75, k=2.0)
POOL = MaxPool(square(3, 2))
RELU = Curve("relu")


@dataclass(frozen=True)
class Block:
    """A conv layer before widths are known, and what follows its ReLU."""

    name: str
    channels: int
    kernel: int
    stride: int = 1
    padding: int = 0
    groups: int = 1
    then: tuple[Op, ...] = ()


ZFNET = (
    Block("conv1", 96, kernel=7, stride=2, then=(POOL, NORM)),
    Block("conv2", 256, kernel=5, stride=2, then=(POOL, NORM)),
    Block("conv3", 384, kernel=3, padding=1),
    Block("conv4", 384, kernel=3, padding=1),
    Block("conv5", 256, kernel=3, padding=1, then=(POOL,)),
)
ALEXNET = (
    Block("conv1", 96, kernel=11, stride=4, then=(NORM, POOL)),
    Block("conv2", 256, kernel=5, padding=2, groups=2, then=(NORM, POOL)),
    Block("conv3", 384, kernel=3, padding=1),
    Block("conv4", 384, kernel=3, padding=1, groups=2),
    Block("conv5", 256, kernel=3, padding=1, groups=2, then=(POOL,)),
)
ALEXNET_TORCHVISION = (
    Block("conv1", 64, kernel=11, stride=4, padding=2, then=(POOL,)),
    Block("conv2", 192, kernel=5, padding=2, then=(POOL,)),
    Block("conv3", 384, kernel=3, padding=1),
    Block("conv4", 256, kernel=3, padding=1),
    Block("conv5", 256, kernel=3, padding=1, then=(POOL,)),
)
ARCHITECTURES: dict[str, tuple[Block, ...]] = {
    "zfnet": ZFNET,
    "alexnet": ALEXNET,
    "alexnet-torchvision": ALEXNET_TORCHVISION,
}


@dataclass(frozen=True)
class Variant:
    """The differences of a network from the paper's."""

    width: float = 1.0
    """Factor on every hidden layer's channels and features."""
    conv_channels: dict[str, int] = field(default_factory=dict)
    """Channels at width 1 that differ, by layer."""
    fc_features: int = 4096
    """Features of fc6 and fc7 at width 1."""
    without: tuple[str, ...] = ()
    """Layers left out."""
    dropout: float = 0.5
    """Probability of dropping a feature of fc6 and fc7 in training."""


def build_chain(arch: str, classes: int, input_px: int, variant: Variant | None = None) -> Graph:
    """The graph of an architecture by name, for a number of classes and an input size.

    Windows follow cuda-convnet's rule: zeros on the right and bottom complete the last one.

    Raises AtlasError for an unknown architecture or layer, a width that does not divide into the
    groups, or an input too small.
    """
    if arch not in ARCHITECTURES:
        raise AtlasError(
            f"There is no architecture {arch!r}.",
            fix=f"Choose one of {', '.join(ARCHITECTURES)}.",
        )
    variant = variant or Variant()
    blocks = ARCHITECTURES[arch]
    _check_names(blocks, variant)
    nodes = [Node(Input(), (), (3, input_px, input_px), "")]
    for block in blocks:
        if block.name not in variant.without:
            _add_conv(nodes, block, variant)
    hidden = max(1, round(variant.fc_features * variant.width))
    for name in ("fc6", "fc7"):
        if name not in variant.without:
            _add(nodes, _linear(name), name, (hidden, 1, 1))
            _add(nodes, RELU, name)
            _add(nodes, Dropout(variant.dropout), name)
    _add(nodes, _linear("fc8"), "fc8", (classes, 1, 1))
    return Graph(tuple(nodes), len(nodes) - 1)


def _check_names(blocks: Sequence[Block], variant: Variant) -> None:
    known = {block.name for block in blocks}
    if unknown := sorted(set(variant.conv_channels) - known):
        raise AtlasError(
            f"model.conv_channels names {', '.join(unknown)}, which the network lacks.",
            fix=f"Name layers of {', '.join(sorted(known))}.",
        )


def _add_conv(nodes: list[Node], block: Block, variant: Variant) -> None:
    """Append a conv layer, its ReLU and what follows it."""
    channels = nodes[-1].shape[0]
    out = max(1, round(variant.conv_channels.get(block.name, block.channels) * variant.width))
    if out % block.groups or channels % block.groups:
        raise AtlasError(
            f"{block.name} would have {channels} input and {out} output channels, which do "
            f"not divide into {block.groups} groups.",
            fix="Choose another model.width.",
        )
    window = square(block.kernel, block.stride, block.padding)
    names = f"{block.name}.weight", f"{block.name}.bias"
    shape = (out, *window.completed(nodes[-1].shape[1:]))
    _add(nodes, Conv(window, *names, block.groups), block.name, shape)
    for op in (RELU, *block.then):
        _add(nodes, op, block.name)


def _linear(name: str) -> Linear:
    return Linear(f"{name}.weight", f"{name}.bias")


def _add(nodes: list[Node], op: Op, path: str, shape: Shape | None = None) -> None:
    """Append an operation on the last node's output; a pool's shape follows from its window."""
    channels, *size = nodes[-1].shape
    if isinstance(op, MaxPool):
        shape = (channels, *op.window.completed((size[0], size[1])))
    shape = shape or nodes[-1].shape
    if min(shape) < 1:
        raise AtlasError(
            f"An input of {nodes[0].shape[1]} pixels is too small: nothing is left after "
            f"{path} ({type(op).__name__}).",
            fix="Raise data.crop.",
        )
    nodes.append(Node(op, (len(nodes) - 1,), shape, path))


def parameter_count(graph: Graph) -> int:
    """Weights and biases of a graph."""
    return sum(prod(shape) for shape in graph.tensors.values())
