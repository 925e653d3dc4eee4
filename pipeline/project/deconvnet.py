"""The way down on windows: from single units back to the pixels of their boxes."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from pipeline.network.geometry import seed_of, windows
from pipeline.network.module import Network
from pipeline.network.ops import Add, Cat, MaxPool
from pipeline.params import Method
from pipeline.project.adjoints import CACHE_BYTES, Signal
from pipeline.project.backward import BackwardSteps, Switches
from pipeline.project.placement import Cells
from pipeline.project.starts import starts_of


@dataclass(frozen=True)
class Units:
    """The units to project, one per entry, all of one layer."""

    channel: Int64[Tensor, " entry"]
    cell: Int64[Tensor, "entry 2"]
    """(row, col) on the layer's map, on the CPU; 0, 0 in a fully connected layer."""
    activation: Float[Tensor, " entry"]
    """The value that the signal starts from."""


class Deconvnet:
    """The way down from one layer of a network without batch norms (`network.fold`).

    Unpooling adds up at shared switches; the signal goes down all ways of a sum and to its own part
    of a concatenation; local response norm and dropout are passed by; a gate and a norm's deviation
    are constants; biases play no part, and the pixels stay signed. At an activation function
    `deconvnet` (Zeiler & Fergus 2013) rectifies the signal, `gradient` multiplies it by the slope,
    and `guided` does both. The layer's own function is left out.

    Only the window that a unit can reach is computed; cells outside a map carry nothing.
    """

    def __init__(self, network: Network, layer: str, method: Method) -> None:
        self._nodes = network.graph.nodes
        self._seed = seed_of(network.graph, layer)
        self._windows = windows(network.graph, self._seed)
        self._order = sorted(self._windows, reverse=True)
        self._starts = starts_of(network, self._seed)
        starts = [self._seed] if self._starts is None else self._starts.node.tolist()
        self._backward = BackwardSteps(network, self._windows, method, set(starts))

    @torch.no_grad()  # signals are added up in place
    def __call__(self, units: Units, switches: Switches) -> Float[Tensor, "entry row col colour"]:
        """Project units to the pixels of their boxes; pixels outside the image are 0."""
        starts, cell = self._starts, Cells(units.cell)
        if starts is None:
            return self._from(self._seed, units.channel, units.activation, cell, switches)
        which = units.channel.cpu().numpy()
        channel = torch.from_numpy(starts.channel[which]).to(units.channel.device)
        activation = units.activation * units.activation.new_tensor(starts.factor[which])
        nodes = starts.node[which]
        groups = [np.flatnonzero(nodes == node) for node in dict.fromkeys(nodes.tolist())]
        if len(groups) == 1:
            return self._from(int(nodes[0]), channel, activation, cell, switches)
        parts = [
            self._from(
                int(nodes[some[0]]),
                channel[some],
                activation[some],
                cell[some],
                _some(switches, some),
            )
            for some in groups
        ]
        return torch.cat(parts)[np.argsort(np.concatenate(groups))]

    def _from(
        self,
        node: int,
        channel: Int64[Tensor, " entry"],
        activation: Float[Tensor, " entry"],
        cell: Cells,
        switches: Switches,
    ) -> Float[Tensor, "entry row col colour"]:
        """Project units whose signals start from one node."""
        started = self._backward.from_units(node, channel, activation, cell)
        return self._descend(started, cell, switches)

    def _descend(
        self, signals: dict[int, Signal], cell: Cells, switches: Switches
    ) -> Float[Tensor, "entry row col colour"]:
        """From the signals on some nodes' outputs to the pixels.

        Entries part into slices where all their maps together would leave the cache.
        """
        for at in self._order:
            if at == 0 or at not in signals:
                continue
            op, signal = self._nodes[at].op, signals.pop(at)
            if isinstance(op, MaxPool | Add | Cat) and not signals:
                fit = self._fitting(at, signal)
                if len(signal) > fit:
                    slices = [slice(first, first + fit) for first in range(0, len(signal), fit)]
                    parts = (
                        self._descend({at: signal[some]}, cell[some], _some(switches, some))
                        for some in slices
                    )
                    return torch.cat(list(parts))
            for place, (below, part) in enumerate(self._backward(at, signal, cell, switches)):
                if below in signals:
                    signals[below].add_(part)
                else:
                    shared = isinstance(op, Cat) or (place and isinstance(op, Add))
                    signals[below] = part.clone() if shared else part
        return signals[0]

    def _fitting(self, at: int, signal: Signal) -> int:
        """Entries whose maps below an operation fit in a cache."""
        rows, cols = self._windows[self._nodes[at].inputs[0]]
        return max(1, CACHE_BYTES // (rows.size * cols.size * signal[0, 0, 0].nbytes))


def _some(switches: Switches, entries: slice | Int64[np.ndarray, " some"]) -> Switches:
    return {at: values[entries] for at, values in switches.items()}
