"""The steps in which a device runs a graph fastest: several nodes at once where it can."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from pipeline.network.functions import Maps
from pipeline.network.graph import Graph
from pipeline.network.kernels import added_convolution, convolution, fast_norm, packed_matmul
from pipeline.network.module import Network
from pipeline.network.ops import (
    Add,
    Cat,
    Conv,
    Curve,
    Linear,
    LocalResponseNorm,
    MaxPool,
    MeanPool,
    Scale,
)

Run = Callable[[Sequence[Maps]], Maps]


@dataclass(frozen=True)
class PlannedStep:
    """One or more nodes that run at once."""

    node: int
    """The node whose output it makes."""
    inputs: tuple[int, ...]
    run: Run
    """It may overwrite inputs that no later step reads."""


def planned(network: Network, wanted: Collection[int], *, finite: bool) -> tuple[PlannedStep, ...]:
    """The steps of a network without batch norms, up to some wanted nodes, in order.

    A convolution takes in the ReLU that alone follows it, and the sum with maps that nothing else
    reads afterwards. `finite` says that no activation can overflow or be NaN; else ReLUs, which
    would hide a NaN, and norms run by themselves.
    """
    graph = network.graph
    needed = sorted({node for end in wanted for node in graph.ancestors(end)} - {0})
    plan = _Plan(network, frozenset(needed), frozenset(wanted), finite)
    taken: set[int] = set()
    steps = []
    for node in needed:
        if node not in taken:
            step, nodes = plan.step(node)
            taken |= nodes
            if step is not None:
                steps.append(step)
    return tuple(sorted(steps, key=lambda step: step.node))


class _Plan:
    def __init__(
        self, network: Network, needed: frozenset[int], wanted: frozenset[int], finite: bool
    ) -> None:
        self._network, self._graph = network, network.graph
        self._needed, self._wanted, self._finite = needed, wanted, finite

    def step(self, node: int) -> tuple[PlannedStep | None, set[int]]:
        """The step that starts with a node, and all nodes that are part of it."""
        graph, op = self._graph, self._graph.nodes[node].op
        if isinstance(op, Conv):
            return self._conv(node, op)
        if isinstance(op, Linear) and not op.per_cell:
            return PlannedStep(node, graph.nodes[node].inputs, self._linear(op)), {node}
        if isinstance(op, LocalResponseNorm) and self._finite and self._overwrites(node):
            norm = fast_norm(op, graph.nodes[node].shape[0], next(self._network.parameters()))
            return PlannedStep(node, graph.nodes[node].inputs, lambda below: norm(below[0])), {node}
        if isinstance(op, Curve) and op.kind == "relu" and self._overwrites(node):
            below = graph.nodes[graph.nodes[node].inputs[0]].op
            if isinstance(below, Conv | Add):
                run: Run = lambda inputs: functional.relu_(inputs[0])  # noqa: E731
                return PlannedStep(node, graph.nodes[node].inputs, run), {node}
        return PlannedStep(node, graph.nodes[node].inputs, self._plain(node)), {node}

    def _conv(self, node: int, op: Conv) -> tuple[PlannedStep | None, set[int]]:
        graph = self._graph
        end, nodes = self._past_identities(node, {node})
        total = self._only_user(end)
        added = total is not None and isinstance(graph.nodes[total].op, Add)
        reads = graph.nodes[node].inputs[0]
        if added and total is not None and (other := self._addend(total, end, reads)) is not None:
            last, rectified = self._rectified(total)
            weight, bias = self._weights(op)
            size = graph.nodes[node].shape[1:]
            fused = added_convolution(op, size, weight, bias, rectify=rectified)
            if fused is not None:
                inputs = (graph.nodes[node].inputs[0], other)
                run: Run = lambda below: fused(below[0], below[1])  # noqa: E731
                return PlannedStep(last, inputs, run), nodes | {total, last}
        last, rectified = self._rectified(end)
        weight, bias = self._weights(op)
        size = graph.nodes[node].shape[1:]
        convolve = convolution(op, size, weight, bias, rectify=rectified, fuse=True)
        step = PlannedStep(last, graph.nodes[node].inputs, lambda below: convolve(below[0]))
        return step, nodes | {last}

    def _past_identities(self, node: int, nodes: set[int]) -> tuple[int, set[int]]:
        """The last of the norms, now empty, that follow a convolution alone."""
        user = self._only_user(node)
        while user is not None and self._graph.nodes[user].op == Scale(None, None):
            node, nodes = user, nodes | {user}
            user = self._only_user(node)
        return node, nodes

    def _rectified(self, node: int) -> tuple[int, bool]:
        """The ReLU that alone follows a node, where it may be part of the node's step."""
        user = self._only_user(node)
        if self._finite and user is not None and self._graph.nodes[user].op == Curve("relu"):
            return user, True
        return node, False

    def _addend(self, total: int, end: int, reads: int) -> int | None:
        """The other input of a sum, where a convolution may add itself to it in place."""
        inputs = self._graph.nodes[total].inputs
        if len(inputs) != 2 or inputs[0] == inputs[1]:
            return None
        other = inputs[0] if inputs[1] == end else inputs[1]
        if other == reads:  # it would overwrite what it has yet to read
            return None
        last_use = max(self._users(other)) == total
        made = isinstance(
            self._graph.nodes[other].op, Conv | Curve | Add | Scale | MaxPool | MeanPool | Cat
        )
        return other if other < end and last_use and made else None

    def _users(self, node: int) -> list[int]:
        return [user for user in self._graph.users[node] if user in self._needed]

    def _only_user(self, node: int) -> int | None:
        users = self._users(node)
        return users[0] if len(users) == 1 and node not in self._wanted else None

    def _overwrites(self, node: int) -> bool:
        """Whether a node may overwrite its input, since nothing else reads it."""
        below = self._graph.nodes[node].inputs[0]
        return below != 0 and len(self._users(below)) == 1

    def _weights(self, op: Conv) -> tuple[Float[Tensor, "..."], Float[Tensor, " out"] | None]:
        bias = None if op.bias is None else self._network.tensor(op.bias)
        return self._network.tensor(op.weight), bias

    def _linear(self, op: Linear) -> Run:
        # torch's own product runs at less than half of the packed one's rate on some processors.
        multiplied = packed_matmul(self._network.tensor(op.weight).t())
        bias = None if op.bias is None else self._network.tensor(op.bias)

        def run(below: Sequence[Maps]) -> Maps:
            features = multiplied(below[0].flatten(1))
            return (features if bias is None else features.add_(bias))[:, :, None, None]

        return run

    def _plain(self, node: int) -> Run:
        return lambda below: self._network.apply_node(node, below)


def head_start(graph: Graph, needed: Collection[int]) -> int:
    """The lowest node that feeds nothing but maps of one cell, and that no path goes around."""
    order, reach, starts = sorted(needed), 0, []
    for node in order:
        if reach <= node:
            starts.append(node)
        reach = max([reach, *(user for user in graph.users[node] if user in needed)])
    wide = [node for node in order if graph.nodes[node].shape[1:] != (1, 1)]
    return min(start for start in starts if start >= max(wide, default=0))
