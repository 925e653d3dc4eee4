"""The forward pass of a scan over any graph, node by node."""

from collections.abc import Iterator, Sequence
from itertools import islice
from math import prod

import numpy as np
import torch
from jaxtyping import UInt8

from pipeline.network.functions import Maps
from pipeline.network.graph import Graph
from pipeline.network.model import Model
from pipeline.network.module import walk
from pipeline.network.ops import Conv, Curve, Dropout, Linear, LocalResponseNorm, MaxPool, Op
from pipeline.scan.feature_maps import FeatureMaps
from pipeline.scan.forward import SLICE_BYTES, Forward, Found

Squares = Iterator[UInt8[np.ndarray, "row col 3"]]


class GraphForward:
    """Some layers of a model, for batches of squares; nothing is run that none of them needs.

    On a CPU a batch passes in slices of a few images, whose number depends on the network alone.
    """

    def __init__(
        self, model: Model, layers: Sequence[str], batch_size: int, device: torch.device
    ) -> None:
        graph = model.graph
        self._network = model.network.to(device).to(memory_format=torch.channels_last)
        self._normalisation = model.normalisation.to(device)
        self._device = device
        self._ends = {graph.layer(layer).node: layer for layer in layers}
        largest = max(4 * prod(node.shape) for node in graph.nodes)
        self.slice_images = max(1, SLICE_BYTES // largest) if device.type == "cpu" else batch_size
        """How many images pass at a time."""

    @torch.inference_mode()
    def run(self, squares: Squares, count: int) -> Iterator[Found]:
        """The layers' maps of the next `count` squares as they are computed.

        The positions of a layer's maps ascend. Each must be used before the next is asked for.
        """
        graph, step = self._network.graph, self._network.apply_node
        for first in range(0, count, self.slice_images):
            signal = self._enter(list(islice(squares, min(self.slice_images, count - first))))
            for node, maps in walk(graph, list(self._ends), step, signal):
                if node in self._ends:
                    yield self._ends[node], first, FeatureMaps(maps)

    @torch.inference_mode()
    def outputs(self, squares: Squares, count: int) -> Iterator[Maps]:
        """The network's output for the next `count` squares, a few at a time."""
        for first in range(0, count, self.slice_images):
            signal = self._enter(list(islice(squares, min(self.slice_images, count - first))))
            yield self._network(signal)

    def _enter(self, squares: list[UInt8[np.ndarray, "row col 3"]]) -> Maps:
        """Normalised input, channels last."""
        pixels = torch.from_numpy(np.stack(squares)).movedim(-1, 1)
        return self._normalisation(pixels.to(self._device))


def forward_of(
    model: Model, layers: Sequence[str], batch_size: int, device: torch.device
) -> Forward | GraphForward:
    """The fast forward pass where the network is a plain chain, else the one for any graph."""
    kind = Forward if is_plain_chain(model.graph) else GraphForward
    return kind(model, layers, batch_size, device)


def is_plain_chain(graph: Graph) -> bool:
    """Whether each operation reads the one before it, and all are those of the paper's networks."""
    follows = all(node.inputs == (n,) for n, node in enumerate(graph.nodes[1:]))
    return follows and all(map(_is_plain, (node.op for node in graph.nodes[1:])))


def _is_plain(op: Op) -> bool:
    match op:
        case Conv():
            return op.bias is not None
        case Curve():
            return op.kind == "relu"
        case Linear():
            return not op.per_cell
        case MaxPool() | LocalResponseNorm() | Dropout():
            return True
        case _:
            return False
