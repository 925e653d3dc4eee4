"""The forward pass of a scan: the network's own numbers up to rounding, in half the time."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from math import prod

import numpy as np
import torch
from jaxtyping import UInt8

from pipeline.network.fold import folded
from pipeline.network.functions import Maps
from pipeline.network.graph import Graph
from pipeline.network.model import Model
from pipeline.network.ops import MaxPool
from pipeline.network.overflow import is_overflow_safe
from pipeline.network.plan import PlannedStep, head_start, planned
from pipeline.scan.feature_maps import FeatureMaps

SLICE_BYTES = 10 * 2**20
"""Of a slice's largest map on a CPU: the map stays in the cache, and its memory is used again."""

Found = tuple[str, int, FeatureMaps]
"""(layer, position of the maps' first image in the batch, maps)."""


class Forward:
    """The layers of a model up to the last one wanted, for batches of squares.

    On a CPU a batch passes the convolutions in slices of a few images, and the linear layers
    whole. How many depends on the network alone, so equal batches give equal bits.
    """

    def __init__(
        self, model: Model, layers: Sequence[str], batch_size: int, device: torch.device
    ) -> None:
        nodes = {model.graph.layer(layer).node: layer for layer in layers}
        network = folded(model.network.to(device)).to(memory_format=torch.channels_last)
        graph = network.graph
        self._graph, self._layers = graph, nodes
        self._mean = model.normalisation.mean.movedim(0, -1).to(device)
        self._scale = model.normalisation.scale.movedim(0, -1).to(device)
        self.slice_images = _slice_images(graph) if device.type == "cpu" else batch_size
        """How many images pass the convolutions at a time."""
        needed = {below for node in nodes for below in graph.ancestors(node)}
        self._joint = head_start(graph, needed)
        steps = planned(network, nodes, finite=is_overflow_safe(model, nodes))
        self._trunk = [step for step in steps if step.node <= self._joint]
        self._head = [step for step in steps if step.node > self._joint]

    @torch.inference_mode()
    def run(
        self, squares: Iterator[UInt8[np.ndarray, "crop crop 3"]], count: int
    ) -> Iterator[Found]:
        """The wanted layers' maps of the next `count` squares, one batch, as they are computed.

        The positions of a layer's maps ascend. Each must be used before the next is asked for.
        """
        joints = []
        for first in range(0, count, self.slice_images):
            signal = self._enter(list(islice(squares, min(self.slice_images, count - first))))
            held = {0: signal}
            yield from self._through(self._trunk, held, first)
            if self._head:
                joints.append(held[self._joint])
        if joints:
            yield from self._through(self._head, {self._joint: torch.cat(joints)}, 0)

    def _through(
        self, steps: Sequence[PlannedStep], held: dict[int, Maps], first: int
    ) -> Iterator[Found]:
        """Run some steps on the maps held, which let go of each after its last use."""
        last = {node: step.node for step in steps for node in step.inputs}
        by_node = {step.node: step for step in steps}
        for step in steps:
            if step.node not in held:
                held[step.node] = step.run([held[node] for node in step.inputs])
            if step.node in self._layers:
                pool = self._covering_pool(step.node, by_node)
                if pool is not None:
                    held[pool] = by_node[pool].run([held[step.node]])
                yield self._layers[step.node], first, self._maps(held, step.node, pool)
            for node in set(step.inputs):
                if last[node] == step.node and node != self._joint:
                    del held[node]

    def _covering_pool(self, node: int, steps: Mapping[int, PlannedStep]) -> int | None:
        """A pool of a layer's maps whose windows leave out no cell."""
        for user in self._graph.users[node]:
            op = self._graph.nodes[user].op
            if user in steps and isinstance(op, MaxPool) and op.window.covers:
                return user
        return None

    def _maps(self, held: Mapping[int, Maps], node: int, pool: int | None) -> FeatureMaps:
        op = None if pool is None else self._graph.nodes[pool].op
        if pool is None or not isinstance(op, MaxPool):
            return FeatureMaps(held[node])
        return FeatureMaps(held[node], held[pool], op)

    def _enter(self, squares: list[UInt8[np.ndarray, "crop crop 3"]]) -> Maps:
        """Normalised input, channels last."""
        pixels = torch.from_numpy(np.stack(squares))
        if self._mean.is_cuda:
            pixels = pixels.pin_memory().to(self._mean.device, non_blocking=True)
        return torch.sub(pixels, self._mean).mul_(self._scale).movedim(-1, 1)


def _slice_images(graph: Graph) -> int:
    cells = max(prod(graph.nodes[graph.layer(la).node].shape) for la in graph.conv_layers)
    return max(1, SLICE_BYTES // (4 * cells))
