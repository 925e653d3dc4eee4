"""The forward pass of a scan: the network's own numbers up to rounding, in half the time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from math import prod

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from pipeline.network.functions import Maps as Signal
from pipeline.network.functions import max_pool
from pipeline.network.graph import Graph, Node
from pipeline.network.kernels import Step, convolution, fast_norm, packed_matmul
from pipeline.network.model import Model
from pipeline.network.module import Network
from pipeline.network.ops import Conv, Curve, Linear, LocalResponseNorm, MaxPool
from pipeline.network.overflow import is_overflow_safe
from pipeline.scan.maps import Maps

SLICE_BYTES = 10 * 2**20
"""Of a slice's largest map on a CPU: the map stays in the cache, and its memory is used again."""

Found = tuple[str, int, Maps]
"""(layer, position of the maps' first image in the batch, maps)."""


@dataclass(frozen=True)
class _Block:
    """A conv layer with its ReLU, the pool right after it, and what else comes before the next."""

    layer: str
    convolve: Step
    pool: Node | None
    then: tuple[Step, ...]


class Forward:
    """The layers of a model up to the last one wanted, for batches of squares.

    On a CPU a batch passes the convolutions in slices of a few images, and the linear layers
    whole. How many depends on the network alone, so equal batches give equal bits.
    """

    def __init__(
        self, model: Model, layers: Sequence[str], batch_size: int, device: torch.device
    ) -> None:
        graph = model.graph
        self._graph = graph
        self._layers = frozenset(layers)
        self._network = model.network.to(device).to(memory_format=torch.channels_last)
        self._mean = model.normalisation.mean.movedim(0, -1).to(device)
        self._scale = model.normalisation.scale.movedim(0, -1).to(device)
        self._slice = _slice_images(graph) if device.type == "cpu" else batch_size
        nodes = range(1 + max(graph.layer(layer).node for layer in layers))
        linear = next((n for n in nodes if isinstance(graph.nodes[n].op, Linear)), len(nodes))
        fuse = is_overflow_safe(model, nodes)
        runs = _runs(graph, nodes[1:linear])
        self._blocks = [_block(self._network, run, fuse=fuse) for run in runs]
        self._head = nodes[linear:]
        # torch's own product runs at less than half of the packed one's rate on some processors.
        self._linears = {
            node: _linear(self._network, op)
            for node in self._head
            if isinstance(op := graph.nodes[node].op, Linear)
        }

    @torch.inference_mode()
    def run(
        self, squares: Iterator[UInt8[np.ndarray, "crop crop 3"]], count: int
    ) -> Iterator[Found]:
        """The wanted layers' maps of the next `count` squares, one batch, as they are computed.

        The positions of a layer's maps ascend. Each must be used before the next is asked for.
        """
        ends = []
        for first in range(0, count, self._slice):
            signal = self._enter(list(islice(squares, min(self._slice, count - first))))
            for block in self._blocks:
                signal = block.convolve(signal)
                pooled = _pooled(signal, block.pool) if block.pool else None
                pool = block.pool.op if block.pool else None
                assert pool is None or isinstance(pool, MaxPool)
                if block.layer in self._layers:
                    yield block.layer, first, Maps(signal, pooled, pool)
                signal = signal if pooled is None else pooled
                for step in block.then:
                    signal = step(signal)
            if self._head:
                ends.append(signal)
        if ends:
            yield from self._connect(torch.cat(ends))

    def _enter(self, squares: list[UInt8[np.ndarray, "crop crop 3"]]) -> Signal:
        """Normalised input, channels last."""
        pixels = torch.from_numpy(np.stack(squares))
        if self._mean.is_cuda:
            pixels = pixels.pin_memory().to(self._mean.device, non_blocking=True)
        return torch.sub(pixels, self._mean).mul_(self._scale).movedim(-1, 1)

    def _connect(self, signal: Signal) -> Iterator[Found]:
        ends = {self._graph.layer(layer).node: layer for layer in self._layers}
        for node in self._head:
            if node in self._linears:
                signal = self._linears[node](signal)
            else:
                signal = self._network.apply_node(node, [signal])
            if node in ends:
                yield ends[node], 0, Maps(signal)


def _linear(network: Network, op: Linear) -> Step:
    """A fully connected layer of whole maps."""
    multiplied = packed_matmul(network.tensor(op.weight).t())
    bias = None if op.bias is None else network.tensor(op.bias)

    def step(signal: Signal) -> Signal:
        features = multiplied(signal.flatten(1))
        return (features if bias is None else features.add_(bias))[:, :, None, None]

    return step


def _runs(graph: Graph, nodes: Sequence[int]) -> list[list[int]]:
    """Convolutional nodes, each conv with what follows it."""
    starts = [i for i, node in enumerate(nodes) if isinstance(graph.nodes[node].op, Conv)]
    ends = [*starts[1:], len(nodes)]
    return [list(nodes[i:j]) for i, j in zip(starts, ends, strict=True)]


def _block(network: Network, run: Sequence[int], *, fuse: bool) -> _Block:
    first, *rest = (network.graph.nodes[node] for node in run)
    conv = first.op
    assert isinstance(conv, Conv)
    assert conv.bias is not None
    weight, bias = network.tensor(conv.weight), network.tensor(conv.bias)
    rectify = bool(rest) and isinstance(rest[0].op, Curve)
    rest = rest[rectify:]
    pool = rest.pop(0) if rest and _covers(rest[0]) else None
    return _Block(
        first.path,
        convolution(conv, first.shape[1:], weight, bias, rectify=rectify, fuse=fuse),
        pool,
        tuple(
            _step(node, run[-len(rest) + i], network, weight, fuse=fuse)
            for i, node in enumerate(rest)
        ),
    )


def _covers(node: Node) -> bool:
    """Whether it is a pool whose windows leave out no cell."""
    op = node.op
    return isinstance(op, MaxPool) and op.window.stride[0] <= op.window.kernel[0]


def _step(node: Node, position: int, network: Network, like: Tensor, *, fuse: bool) -> Step:
    if fuse and isinstance(node.op, LocalResponseNorm):
        return fast_norm(node.op, node.shape[0], like)
    return lambda signal: network.apply_node(position, [signal])


def _pooled(signal: Signal, pool: Node) -> Signal:
    assert isinstance(pool.op, MaxPool)
    return max_pool(pool.op.window, signal, pool.shape[1:])[0]


def _slice_images(graph: Graph) -> int:
    cells = max(prod(graph.nodes[graph.layer(la).node].shape) for la in graph.conv_layers)
    return max(1, SLICE_BYTES // (4 * cells))
