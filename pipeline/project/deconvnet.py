"""The deconvnet on windows: from single units back to the pixels of their boxes."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from pipeline.network.chain import Conv, Linear, MaxPool, ReLU
from pipeline.network.module import Network
from pipeline.project.descent import CACHE_BYTES, PhaseConv, TransposedConv, transpose, unpool
from pipeline.project.window import spans, trunk_end

Switches = Mapping[int, UInt8[Tensor, "_ _ _ _"]]
"""By the position of each pool (entry, row, col, channel): for every cell of the windows on the
pooled map, where in its own pooling window the maximum stood, counted row by row; of equal values
the first counts. A byte per cell."""


@dataclass(frozen=True)
class Units:
    """The units to project, one per entry, all of one layer."""

    channel: Int64[Tensor, " entry"]
    cell: Int64[Tensor, "entry 2"]
    """(row, col) on the layer's map, on the CPU; 0, 0 in a fully connected layer."""
    activation: Float[Tensor, " entry"]
    """Where the signal starts."""


class Deconvnet:
    """The reverse path from one layer (paper.md, section 3).

    Unpooling adds up at shared switches, the signal is rectified where the network has a ReLU,
    contrast norm and dropout are passed by, biases play no part, and the pixels stay signed.
    Only the window that a unit can reach is computed; cells outside a map carry nothing.
    """

    def __init__(self, network: Network, layer: str) -> None:
        self._chain = network.chain
        self._layer = layer
        self._spans = spans(network.chain, layer)
        self._trunk_end = trunk_end(network.chain, layer)
        self._convs = _adjoints(network, self._trunk_end)
        self._linears = {
            op.name: network.get_parameter(f"{op.name}.weight")
            for _, op in network.chain.weighted()
            if isinstance(op, Linear)
        }

    def __call__(self, units: Units, switches: Switches) -> Float[Tensor, "entry row col rgb"]:
        """Project units to the pixels of their boxes; pixels outside the image are 0.

        A box is the field of the layer, not clipped; in a fully connected layer, the image.
        """
        signal, position = self._start(units)
        pixels = self._descend(position, signal, units.cell, switches)
        return self._to_image(pixels) if self._spans[0].jump == 0 else pixels

    def _descend(
        self,
        position: int,
        signal: Float[Tensor, "entry row col channel"],
        cell: Int64[Tensor, "entry 2"],
        switches: Switches,
    ) -> Float[Tensor, "entry box_row box_col rgb"]:
        """From the output of `chain.ops[position - 1]` to the pixels.

        Entries part into slices where all their maps together would leave the cache.
        """
        for at in reversed(range(position)):
            op = self._chain.ops[at]
            if isinstance(op, MaxPool) and len(signal) > (fit := self._fitting(at, signal)):
                slices = [slice(first, first + fit) for first in range(0, len(signal), fit)]
                parts = (
                    self._descend(at + 1, signal[some], cell[some], _some(switches, some))
                    for some in slices
                )
                return torch.cat(list(parts))
            match op:
                case ReLU():
                    signal = signal.relu_()
                case MaxPool():
                    signal = unpool(op, signal, switches[at])
                case Conv():
                    signal = self._on_map(at, self._convs[at](signal), cell)
        return signal

    def _fitting(self, at: int, signal: Float[Tensor, "entry row col channel"]) -> int:
        """Entries whose maps below an operation fit in a cache."""
        bytes_each = self._spans[at].size ** 2 * signal.shape[3] * signal.element_size()
        return max(1, CACHE_BYTES // bytes_each)

    def _start(self, units: Units) -> tuple[Float[Tensor, "entry row col channel"], int]:
        """The signal on the highest map below the units, and the position of the op it feeds."""
        if isinstance(self._chain.op(self._layer), Linear):
            return self._through_linears(units), self._trunk_end
        at = self._chain.position(self._layer)
        signal = self._convs[at].from_units(units.channel, units.activation)
        return self._on_map(at, signal, units.cell), at

    def _through_linears(self, units: Units) -> Float[Tensor, "entry row col channel"]:
        top = self._chain.position(self._layer)
        signal = self._linears[self._layer][units.channel] * units.activation[:, None]
        for op in reversed(self._chain.ops[self._trunk_end : top]):
            if isinstance(op, ReLU):
                signal = signal.relu_()
            elif isinstance(op, Linear):
                signal = signal @ self._linears[op.name]
        side = self._spans[self._trunk_end].size
        return signal.view(len(signal), -1, side, side).permute(0, 2, 3, 1)

    def _on_map(
        self,
        at: int,
        signal: Float[Tensor, "entry row col channel"],
        cell: Int64[Tensor, "entry 2"],
    ) -> Float[Tensor, "entry row col channel"]:
        """Drop what fell on padding: cells outside the map that feeds an operation."""
        inside = self._spans[at].inside(cell)
        if inside is None:
            return signal
        return signal.mul_(inside.permute(0, 2, 3, 1).to(signal))

    def _to_image(
        self, pixels: Float[Tensor, "entry window_row window_col rgb"]
    ) -> Float[Tensor, "entry row col rgb"]:
        """Cut the image out of a window that covers it all."""
        first, side = -self._spans[0].start, self._chain.input_px
        return pixels[:, first : first + side, first : first + side]


def _some(switches: Switches, entries: slice) -> Switches:
    return {at: taken[entries] for at, taken in switches.items()}


def _adjoints(network: Network, last: int) -> dict[int, TransposedConv | PhaseConv]:
    return {
        at: transpose(op, network.get_parameter(f"{op.name}.weight"))
        for at, op in network.chain.weighted()
        if at <= last and isinstance(op, Conv)
    }
