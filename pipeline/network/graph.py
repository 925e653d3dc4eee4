"""The description of a network: a graph of operations on maps, in topological order."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import assert_never

from pipeline.errors import AtlasError
from pipeline.network.ops import (
    Add,
    BatchNorm,
    Cat,
    ChannelNorm,
    Conv,
    Curve,
    Dropout,
    Input,
    Linear,
    LocalResponseNorm,
    MapNorm,
    MaxPool,
    MeanPool,
    Mul,
    Op,
    Pad,
    Resample,
    Scale,
    Select,
    Shape,
)
from pipeline.network.window import Pair


@dataclass(frozen=True)
class Node:
    """One operation of a graph."""

    op: Op
    inputs: tuple[int, ...]
    """Positions of the nodes that feed it, all lower than its own."""
    shape: Shape
    """Of its output."""
    path: str = ""
    """Of the module that it belongs to."""


@dataclass(frozen=True)
class Layer:
    """A layer: the map of a convolution, linear layer, sum or concatenation, after the norm and
    the activation function that alone follow it."""

    name: str
    node: int
    """Position of the node whose output is the layer's activation."""
    source: int
    """Position of the convolution, linear layer, sum or concatenation itself."""
    channels: int
    size: Pair
    """Rows and columns of its map."""
    rectified: bool
    """Whether its activations are never negative."""
    cut: bool
    """Whether every path from the input to the output passes it."""


@dataclass(frozen=True)
class Graph:
    """A network for one size of input. Node 0 is the input."""

    nodes: tuple[Node, ...]
    output: int

    @property
    def input(self) -> Shape:
        """Shape of the input: channels, rows, columns."""
        return self.nodes[0].shape

    def below(self, position: int) -> list[Shape]:
        """Shapes of what feeds a node."""
        return [self.nodes[feeding].shape for feeding in self.nodes[position].inputs]

    @cached_property
    def users(self) -> tuple[tuple[int, ...], ...]:
        """By node, the positions of those that it feeds, ascending."""
        users: list[list[int]] = [[] for _ in self.nodes]
        for position, node in enumerate(self.nodes):
            for feeding in dict.fromkeys(node.inputs):
                users[feeding].append(position)
        return tuple(map(tuple, users))

    def ancestors(self, position: int) -> tuple[int, ...]:
        """The node itself and all nodes that it depends on, ascending."""
        needed = {position}
        for at in range(position, -1, -1):
            if at in needed:
                needed.update(self.nodes[at].inputs)
        return tuple(sorted(needed))

    @cached_property
    def tensors(self) -> dict[str, tuple[int, ...]]:
        """Shapes of all weights by name, in the order of the nodes."""
        shapes: dict[str, tuple[int, ...]] = {}
        for position, node in enumerate(self.nodes):
            shapes |= node.op.tensors(node.shape, self.below(position))
        return shapes

    @cached_property
    def never_negative(self) -> tuple[bool, ...]:
        """By node, whether no value of its output is negative, whatever the image."""
        signs: list[bool] = []
        for node in self.nodes:
            signs.append(_never_negative(node.op, [signs[feeding] for feeding in node.inputs]))
        return tuple(signs)

    @cached_property
    def layer_list(self) -> tuple[Layer, ...]:
        """All layers, in order."""
        cuts, gates = _cuts(self), _gates(self)
        sources = [
            position
            for position, node in enumerate(self.nodes)
            if isinstance(node.op, Conv | Linear | Add | Cat) and position not in gates
        ]
        names = _distinct([self.nodes[source].path for source in sources])
        return tuple(
            _layer(self, name, source, cuts) for name, source in zip(names, sources, strict=True)
        )

    @cached_property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers, in order."""
        return tuple(layer.name for layer in self.layer_list)

    @cached_property
    def conv_layers(self) -> tuple[str, ...]:
        """Names of the layers that are convolutions, in order."""
        return tuple(
            layer.name for layer in self.layer_list if isinstance(self.nodes[layer.source].op, Conv)
        )

    def layer(self, name: str) -> Layer:
        """A layer by its name. Raises AtlasError for an unknown one."""
        if name not in self._by_name:
            raise AtlasError(
                f"The network has no layer {name!r}; it has {', '.join(self.layers)}.",
                fix="Correct the layer's name.",
            )
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[str, Layer]:
        return {layer.name: layer for layer in self.layer_list}


def _layer(graph: Graph, name: str, source: int, cuts: frozenset[int]) -> Layer:
    node = _end(graph, source)
    channels, rows, cols = graph.nodes[node].shape
    rectified = graph.never_negative[node]
    return Layer(name, node, source, channels, (rows, cols), rectified, node in cuts)


def _end(graph: Graph, source: int) -> int:
    """The node of a layer's activation: past the norms, then the curve, that alone follow."""
    node = source
    while (user := _only_user(graph, node)) is not None:
        op = graph.nodes[user].op
        if isinstance(op, Curve):
            return user
        if not isinstance(op, BatchNorm | Scale | ChannelNorm | MapNorm):
            return node
        node = user
    return node


def _only_user(graph: Graph, node: int) -> int | None:
    users = graph.users[node]
    return users[0] if len(users) == 1 and node != graph.output else None


def _never_negative(op: Op, below: Sequence[bool]) -> bool:
    """Whether no value that an operation gives is negative; `below` says so of what feeds it."""
    match op:
        case Curve():
            return op.never_negative
        case Add() | Cat() | Mul() | MaxPool() | MeanPool() | Resample() | Select() | Dropout():
            return all(below)
        case LocalResponseNorm():
            return all(below)
        case Pad():
            return op.value >= 0 and all(below)
        case Input() | Conv() | Linear() | BatchNorm() | Scale() | ChannelNorm() | MapNorm():
            return False
        case _:
            assert_never(op)


def _cuts(graph: Graph) -> frozenset[int]:
    """Nodes that every path from the input to the output passes.

    In a topological order these are the nodes that no edge leaps over.
    """
    needed = graph.ancestors(graph.output)
    cuts, reach = set(), 0
    for position in needed:
        if reach <= position:
            cuts.add(position)
        reach = max([reach, *(user for user in graph.users[position] if user in needed)])
    return frozenset(cuts)


def _gates(graph: Graph) -> frozenset[int]:
    """Nodes whose output goes into the gates of products alone."""
    gates: set[int] = set()
    for position in reversed(range(len(graph.nodes))):
        users = graph.users[position]
        if users and all(_gated(graph, position, user, gates) for user in users):
            gates.add(position)
    return frozenset(gates)


def _gated(graph: Graph, position: int, user: int, gates: set[int]) -> bool:
    node = graph.nodes[user]
    return user in gates or (isinstance(node.op, Mul) and position not in node.inputs[:1])


def _distinct(paths: Sequence[str]) -> list[str]:
    """Names out of paths: the second of one path gets `__2`, as a colon fits no file name."""
    seen: dict[str, int] = {}
    names = []
    for path in paths:
        seen[path] = seen.get(path, 0) + 1
        names.append(path if seen[path] == 1 else f"{path}__{seen[path]}")
    return names
