"""A graph while it is being read: nodes, weights, and what a tensor is in terms of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from jaxtyping import Float
from torch import Tensor

from pipeline.adopt.arrangement import Arrangement, Cutout, Piece, pieces
from pipeline.adopt.trace import Call, UnreadableError
from pipeline.network.graph import Node
from pipeline.network.ops import Cat, MeanPool, Op, Pad, Resample, Select, Shape
from pipeline.network.window import Window

MOST_PIECES = 64
"""Of a map that are put together in another order: each takes up to three nodes."""

Weights = dict[str, Float[Tensor, "..."]]


@dataclass(frozen=True)
class Constant:
    """A tensor of weights alone."""

    tensor: Tensor
    name: str | None = None
    """Its key in the module's state dict, where it is there as it is."""

    @property
    def exact(self) -> Tensor:
        """In double precision, in which what depends on weights alone is computed."""
        return self.tensor.double() if self.tensor.is_floating_point() else self.tensor


Value = Any
"""An arrangement, a constant, a number, or a list of them."""


def plain(value: Value) -> Any:
    """A value without arrangements as torch takes it."""
    if isinstance(value, Constant):
        return value.exact
    return [plain(part) for part in value] if isinstance(value, list) else value


@dataclass
class Reading:
    """A graph while it is being read."""

    nodes: list[Node] = field(default_factory=list)
    weights: Weights = field(default_factory=dict)

    def add(self, op: Op, inputs: Sequence[int], shape: Shape, path: str) -> Arrangement:
        """Add a node; its map as a tensor."""
        self.nodes.append(Node(op, tuple(inputs), shape, path))
        return Arrangement(len(self.nodes) - 1, shape, (1, *shape))

    def over(self, op: Op, tensor: Arrangement, path: str) -> Arrangement:
        """Add a node that works cell by cell or by channel on a whole map, however arranged."""
        added = self.add(op, [tensor.node], tensor.map, path)
        return Arrangement(added.node, tensor.map, tensor.shape, tensor.order)

    def keep(self, tensor: Tensor, name: str) -> str:
        """Keep a tensor of weights; its name, with a number where another tensor has it."""
        unique, number = name, 1
        while unique in self.weights:
            if self.weights[unique].shape == tensor.shape and self.weights[unique].equal(tensor):
                return unique
            number += 1
            unique = f"{name}_{number}"
        self.weights[unique] = tensor.contiguous()
        return unique

    def keep_constant(self, constant: "Constant", call: Call, kind: str) -> str:
        """Keep a constant under its own name, or under that of the module that uses it."""
        return self.keep(constant.tensor, constant.name or f"{call.path or call.name}.{kind}")

    def position(self, tensor: Value, call: Call) -> int:
        """The node whose map a tensor (1, channels, rows, columns) or (1, features) is.

        Nodes that pick channels, cut, thin out or repeat cells are added where it takes any, and
        one that puts such parts together, named after the call that reads it.
        Raises UnreadableError where it does not consist of regular parts of a map.
        """
        return self.as_map(tensor, call).node

    def as_map(self, tensor: Value, call: Call) -> Arrangement:
        """A tensor as the map of a node (see `position`)."""
        if not isinstance(tensor, Arrangement):
            raise UnreadableError(f"{call.place} on a constant where a map is expected.")
        if len(tensor.shape) == 1:  # `squeeze()` took the axis of images too
            return self.as_map(tensor.as_shape((1, *tensor.shape)), call)
        shape = (*tensor.shape[1:], 1, 1)[:3]
        plain = len(tensor.shape) in (2, 4) and shape == tensor.map
        if plain and tensor.order is None:
            return tensor
        found = pieces(tensor.map, tensor.shape, tensor.cells)
        if not 0 < len(found) <= MOST_PIECES:
            raise UnreadableError(
                f"{call.place} on a tensor {tensor.shape} that is not a regular part of a map."
            )
        nodes = [self._cut(tensor, piece.part, call) for piece in found]
        node = nodes[0] if len(nodes) == 1 else self._joined(nodes, found, call)
        return Arrangement(node, self.nodes[node].shape, tensor.shape)

    def _joined(self, nodes: Sequence[int], found: Sequence[Piece], call: Call) -> int:
        """A map of several parts of another, with its channels in order."""
        places = [place for piece in found for place in piece.places]
        shape, path = (len(places), *self.nodes[nodes[0]].shape[1:]), f"{call.path}.parts"
        joined = self.add(Cat(), nodes, shape, path)
        order = sorted(range(len(places)), key=places.__getitem__)
        return joined.node if order == sorted(order) else self._picked(joined.node, order, path)

    def _picked(self, node: int, channels: Sequence[int], path: str) -> int:
        _, rows, cols = self.nodes[node].shape
        return self.add(Select(tuple(channels)), [node], (len(channels), rows, cols), path).node

    def _cut(self, tensor: Arrangement, part: Cutout, call: Call) -> int:
        """A regular part of a map as a map."""
        node, (channels, rows, cols), path = tensor.node, tensor.map, call.path
        if part.channels != tuple(range(channels)):
            channels = len(part.channels)
            node = self._picked(node, part.channels, path)
        if (rows, cols) == (1, 1) != part.size:
            node = self.add(Resample("nearest"), [node], (channels, *part.size), path).node
        elif 0 in part.step:
            raise UnreadableError(f"{call.place} on rows or columns that are repeated.")
        elif part.size != (rows, cols):
            reach = [(n - 1) * step + 1 for n, step in zip(part.size, part.step, strict=True)]
            before = (-part.first[0], -part.first[1])
            node = self.add(Pad(before), [node], (channels, reach[0], reach[1]), path).node
            if part.step != (1, 1):
                thin = MeanPool(Window((1, 1), part.step))
                node = self.add(thin, [node], (channels, *part.size), path).node
        return node

    def whole(self, tensor: Arrangement, call: Call) -> Arrangement:
        """A tensor whose map has no cell that it lacks or repeats."""
        return tensor if tensor.whole else self.as_map(tensor, call)
