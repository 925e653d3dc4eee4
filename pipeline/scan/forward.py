"""The forward pass of a scan: the network's own numbers up to rounding, in half the time."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from math import prod

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from pipeline.network.fold import folded
from pipeline.network.functions import Maps
from pipeline.network.graph import Graph
from pipeline.network.model import Model
from pipeline.network.ops import MaxPool
from pipeline.network.overflow import SOUND, nodes_to_check
from pipeline.network.plan import PlannedStep, head_start, planned
from pipeline.scan.feature_maps import FeatureMaps

SLICE_BYTES = 10 * 2**20
"""Of a slice's largest map on a CPU: the map stays in the cache, and its memory is used again."""

Found = tuple[str, int, FeatureMaps]
"""(layer, position of the maps' first image in the batch, maps)."""


class Forward:
    """A network up to the last of some wanted nodes, for batches of squares.

    On a CPU a batch passes the convolutions in slices of a few images, and what makes maps of one
    cell whole. How many depends on the network alone, so equal batches give equal bits.

    Batch norms are folded, and steps run several nodes at once. A fused ReLU makes 0 of NaN, so it
    serves only where nothing can overflow: by the weights alone, or by them and the magnitudes that
    are met on the way. A slice with larger ones runs again without fused ReLUs.
    """

    def __init__(
        self, model: Model, wanted: Mapping[int, str], batch_size: int, device: torch.device
    ) -> None:
        self._network = folded(model.network.to(device)).to(memory_format=torch.channels_last)
        self._graph, self._wanted = self._network.graph, dict(wanted)
        self._mean = model.normalisation.mean.movedim(0, -1).to(device)
        self._scale = model.normalisation.scale.movedim(0, -1).to(device)
        self.slice_images = _slice_images(self._graph) if device.type == "cpu" else batch_size
        """How many images pass the convolutions at a time."""
        needed = {below for node in self._wanted for below in self._graph.ancestors(node)}
        self._joint = head_start(self._graph, needed)
        fused = planned(self._network, self._wanted, finite=True)
        checked = nodes_to_check(model, self._wanted, [step.node for step in fused])
        self._checked = checked or frozenset()
        self._steps = self._unfused if checked is None else fused

    @classmethod
    def of_layers(
        cls, model: Model, layers: Sequence[str], batch_size: int, device: torch.device
    ) -> "Forward":
        """The pass up to the last of some layers."""
        wanted = {model.graph.layer(layer).node: layer for layer in layers}
        return cls(model, wanted, batch_size, device)

    @cached_property
    def _unfused(self) -> tuple[PlannedStep, ...]:
        return planned(self._network, self._wanted, finite=False)

    @torch.inference_mode()
    def run(self, squares: Iterator[UInt8[np.ndarray, "row col 3"]], count: int) -> Iterator[Found]:
        """The wanted maps of the next `count` squares, one batch, as they are computed.

        The positions of a layer's maps ascend. Each must be used before the next is asked for.
        """
        joints: list[Tensor] = []
        for first in range(0, count, self.slice_images):
            signal = self._enter(list(islice(squares, min(self.slice_images, count - first))))
            yield from self._sound(range(1, self._joint + 1), {0: signal}, first, joints)
        if self._steps[-1].node > self._joint:
            head = range(self._joint + 1, len(self._graph.nodes))
            yield from self._sound(head, {self._joint: torch.cat(joints)}, 0, [])

    def _sound(
        self, nodes: range, start: dict[int, Maps], first: int, joints: list[Tensor]
    ) -> Iterator[Found]:
        """Run the steps of some nodes, once more without fused ReLUs if a value is too large."""
        done = set()
        try:
            for found in self._through(self._steps, nodes, dict(start), first, joints):
                done.add(found[0])
                yield found
        except _TooLargeError:
            for found in self._through(self._unfused, nodes, dict(start), first, joints):
                if found[0] not in done:
                    yield found

    def _through(
        self,
        steps: Sequence[PlannedStep],
        nodes: range,
        held: dict[int, Maps],
        first: int,
        joints: list[Tensor],
    ) -> Iterator[Found]:
        """Run some nodes on the maps held, which let go of each after its last use."""
        steps = [step for step in steps if step.node in nodes]
        last = {node: step.node for step in steps for node in step.inputs}
        by_node = {step.node: step for step in steps}
        largest: list[Float[Tensor, ""]] = []
        for step in steps:
            if step.node not in held:
                held[step.node] = step.run([held[node] for node in step.inputs])
            if step.node in self._checked:
                largest += torch.aminmax(held[step.node].movedim(1, -1))  # contiguous
            if step.node in self._wanted:
                _check(largest)
                pool = self._covering_pool(step.node, by_node)
                if pool is not None:
                    held[pool] = by_node[pool].run([held[step.node]])
                yield self._wanted[step.node], first, self._maps(held, step.node, pool)
            for node in set(step.inputs):
                if last[node] == step.node and node != self._joint:
                    del held[node]
        _check(largest)
        if self._joint in nodes or self._joint == 0:
            joints.append(held[self._joint])

    def _covering_pool(self, node: int, steps: Mapping[int, PlannedStep]) -> int | None:
        """A pool of a layer's maps whose windows leave out no cell."""
        for user in self._graph.users[node]:
            op, cells = self._graph.nodes[user].op, self._graph.nodes[user].shape[1:]
            size = self._graph.nodes[node].shape[1:]
            if user in steps and isinstance(op, MaxPool) and op.window.covers(size, cells):
                return user
        return None

    def _maps(self, held: Mapping[int, Maps], node: int, pool: int | None) -> FeatureMaps:
        op = None if pool is None else self._graph.nodes[pool].op
        if pool is None or not isinstance(op, MaxPool):
            return FeatureMaps(held[node])
        return FeatureMaps(held[node], held[pool], op)

    def _enter(self, squares: list[UInt8[np.ndarray, "row col 3"]]) -> Maps:
        """Normalised input, channels last."""
        pixels = torch.from_numpy(np.stack(squares))
        if self._mean.is_cuda:
            pixels = pixels.pin_memory().to(self._mean.device, non_blocking=True)
        return torch.sub(pixels, self._mean).mul_(self._scale).movedim(-1, 1)


class _TooLargeError(ArithmeticError):
    """A value that no sound network makes, so that a fused ReLU may hide a NaN."""


def _check(values: list[Float[Tensor, ""]]) -> None:
    """Raise where a value is not below SOUND in magnitude; none is looked at twice."""
    if values and not torch.stack(values).abs().amax() < SOUND:  # NaN, too, is not below
        raise _TooLargeError
    values.clear()


def _slice_images(graph: Graph) -> int:
    largest = max(prod(node.shape) for node in graph.nodes)
    return max(1, SLICE_BYTES // (4 * largest))
