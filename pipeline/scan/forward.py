"""The forward pass of a scan: the network's own numbers up to rounding, in half the time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn import functional

from pipeline.network.bound import stays_finite
from pipeline.network.chain import Chain, ContrastNorm, Conv, Linear, MaxPool, Op, ReLU
from pipeline.network.fused import Signal, Step, contrast_norm, convolution, product
from pipeline.network.model import Model
from pipeline.network.module import Network
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
    pool: MaxPool | None
    then: tuple[Step, ...]


class Forward:
    """The layers of a model up to the last one wanted, for batches of squares.

    On a CPU a batch passes the convolutions in slices of a few images, and the linear layers
    whole. How many depends on the network alone, so equal batches give equal bits.
    """

    def __init__(
        self, model: Model, layers: Sequence[str], batch_size: int, device: torch.device
    ) -> None:
        chain = model.chain
        self._layers = frozenset(layers)
        self._network = model.network.to(device).to(memory_format=torch.channels_last)
        self._mean = model.mean.movedim(0, -1).to(device)
        self._scale = model.card.scale
        self._slice = _slice_images(chain) if device.type == "cpu" else batch_size
        ops = chain.ops[: max(chain.end(layer) for layer in layers)]
        linear = next((i for i, op in enumerate(ops) if isinstance(op, Linear)), len(ops))
        fuse = stays_finite(model, ops)
        self._blocks = [_block(self._network, run, fuse=fuse) for run in _runs(ops[:linear])]
        self._head = ops[linear:]
        # torch's own product runs at less than half of the packed one's rate on some processors.
        self._products = {
            op.name: product(self._network.get_parameter(f"{op.name}.weight").t())
            for op in self._head
            if isinstance(op, Linear)
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
                if block.layer in self._layers:
                    yield block.layer, first, Maps(signal, pooled, block.pool)
                signal = signal if pooled is None else pooled
                for step in block.then:
                    signal = step(signal)
            if self._head:
                ends.append(signal.flatten(1))
        if ends:
            yield from self._connect(torch.cat(ends))

    def _enter(self, squares: list[UInt8[np.ndarray, "crop crop 3"]]) -> Signal:
        """Normalised input, channels last."""
        pixels = torch.from_numpy(np.stack(squares))
        if self._mean.is_cuda:
            pixels = pixels.pin_memory().to(self._mean.device, non_blocking=True)
        return torch.sub(pixels, self._mean).mul_(self._scale).movedim(-1, 1)

    def _connect(self, signal: Float[Tensor, "image feature"]) -> Iterator[Found]:
        layer = ""
        for op, after in zip(self._head, [*self._head[1:], None], strict=True):
            if isinstance(op, Linear):
                layer = op.name
                bias = self._network.get_parameter(f"{op.name}.bias")
                signal = self._products[op.name](signal).add_(bias)
            else:
                signal = self._network.apply_op(op, signal)
            if layer in self._layers and not isinstance(after, ReLU):
                yield layer, 0, Maps(signal[:, :, None, None])
                layer = ""


def _runs(ops: Sequence[Op]) -> list[list[Op]]:
    """Convolutional operations, each conv with what follows it."""
    starts = [i for i, op in enumerate(ops) if isinstance(op, Conv)]
    return [list(ops[i:j]) for i, j in zip(starts, [*starts[1:], len(ops)], strict=True)]


def _block(network: Network, run: Sequence[Op], *, fuse: bool) -> _Block:
    conv, *rest = run
    assert isinstance(conv, Conv)
    weight, bias = network.get_submodule(conv.name).parameters()
    rectify = bool(rest) and isinstance(rest[0], ReLU)
    rest = rest[rectify:]
    covers = bool(rest) and isinstance(rest[0], MaxPool) and rest[0].stride <= rest[0].kernel
    pool = rest.pop(0) if covers else None
    return _Block(
        conv.name,
        convolution(conv, weight, bias, rectify=rectify, fuse=fuse),
        pool if isinstance(pool, MaxPool) else None,
        tuple(_step(op, network, conv.out_channels, weight, fuse=fuse) for op in rest),
    )


def _step(op: Op, network: Network, channels: int, like: Tensor, *, fuse: bool) -> Step:
    if fuse and isinstance(op, ContrastNorm):
        return contrast_norm(op, channels, like)
    return partial(network.apply_op, op)


def _pooled(signal: Signal, pool: MaxPool) -> Signal:
    return functional.max_pool2d(signal, pool.kernel, pool.stride, ceil_mode=True)


def _slice_images(chain: Chain) -> int:
    cells = max(chain.channels(layer) * chain.map_size(layer) ** 2 for layer in chain.conv_layers)
    return max(1, SLICE_BYTES // (4 * cells))
