"""Connections by weight: which channels of the layer below feed a channel, and which it feeds."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod

import numpy as np
from jaxtyping import Float, Float32

from pipeline.atlas import Run

SHOWN_CONNECTIONS = 6
MOST_PRODUCTS = 2**34
"""Products of two weights beyond which paths through a layer between are not computed: some seconds
on two cores. Three layers of 512 channels with filters of 3 × 3 need 2^33.3."""


@dataclass(frozen=True)
class Connection:
    """One channel's filter, seen from another channel that it multiplies."""

    layer: str
    channel: int
    strength: float
    """The filter's length times the mean peak of the channel below; negative where the filter
    inhibits, that is, where its weights sum to less than 0."""
    kernel: Float32[np.ndarray, "row col"]
    via: str = ""
    """The layer between; empty where there is none."""


@dataclass(frozen=True)
class Weights:
    """The filters between two layers, with what the lower one typically sends."""

    below: str
    above: str
    kernels: Float32[np.ndarray, "above below row col"]
    mean_peak: Float[np.ndarray, " below"]
    """Of the channels below, over the validation images."""

    @cached_property
    def strengths(self) -> Float[np.ndarray, "above below"]:
        """The strength of every connection."""
        length = np.sqrt((self.kernels.astype(np.float64) ** 2).sum(axis=(2, 3)))
        sign = np.where(self.kernels.sum(axis=(2, 3), dtype=np.float64) < 0, -1.0, 1.0)
        strengths: Float[np.ndarray, "above below"] = sign * length * self.mean_peak
        return strengths

    def incoming(self, channel: int) -> list[Connection]:
        """What feeds a channel of the upper layer, the strongest magnitude first."""
        row = self.strengths[channel]
        return [
            Connection(self.below, n, float(row[n]), self.kernels[channel, n])
            for n in strongest(row)
        ]

    def outgoing(self, channel: int) -> list[Connection]:
        """What a channel of the lower layer feeds, the strongest magnitude first."""
        column = self.strengths[:, channel]
        return [
            Connection(self.above, n, float(column[n]), self.kernels[n, channel])
            for n in strongest(column)
        ]


def strongest(strengths: Float[np.ndarray, " channel"]) -> list[int]:
    """Up to six channels by magnitude, of equal ones the lower number first; none without any."""
    order = np.argsort(-np.abs(strengths), kind="stable")[:SHOWN_CONNECTIONS]
    return [int(n) for n in order if strengths[n] != 0]


def merged(lists: Sequence[Sequence[Connection]]) -> list[Connection]:
    """The strongest of several layers' connections, by magnitude, of equal ones in their order."""
    every = [connection for found in lists for connection in found]
    return sorted(every, key=lambda c: -abs(c.strength))[:SHOWN_CONNECTIONS]


def connected(run: Run) -> list[Weights]:
    """The weights between scanned layers that feed each other, over sums and concatenations too."""
    return [
        Weights(below, above, kernels, mean_peak(run, below))
        for above in run.layers
        for below, kernels in run.weights.kernels_from_below(above, run.layers).items()
    ]


def mean_peak(run: Run, layer: str) -> Float[np.ndarray, " channel"]:
    """The mean peak of each channel over the validation images; negative peaks count as 0.

    Where none is of a class that the network scores, it is known to a bin of the histogram.
    """
    record = run.scan(layer)
    count = Counter(image.label for image in run.images)
    sizes = np.array([count[name] for name in run.card.classes], np.float64)
    mean: Float[np.ndarray, " channel"]
    if not sizes.any():
        mean = record.histogram @ np.clip(record.edges[:-1], 0, None) / max(1, len(run.images))
        return mean
    by_class = record.mean_peak_by_class.astype(np.float64)
    total = (np.clip(np.nan_to_num(by_class), 0, None) * sizes).sum(axis=1)
    mean = total / sizes.sum()
    return mean


@dataclass(frozen=True)
class Paths:
    """The strongest paths between two layers through one between them."""

    below: str
    above: str
    incoming: Sequence[Sequence[Connection]]
    """By channel of the upper layer."""
    outgoing: Sequence[Sequence[Connection]]
    """By channel of the lower layer."""


@dataclass(frozen=True)
class Expanded:
    """The paths through one layer between, of all layers of a run."""

    paths: Sequence[Paths]
    skipped: Sequence[tuple[str, str, str]]
    """Layer below, between and above of those that would take too long."""


def expanded(weights: Sequence[Weights]) -> Expanded:
    """Paths through every layer between two others that is fed by one and feeds the other."""
    paths, skipped = [], []
    for lower in weights:
        for upper in weights:
            if upper.below != lower.above:
                continue
            if products(lower, upper) > MOST_PRODUCTS:
                skipped.append((lower.below, lower.above, upper.above))
            else:
                paths.append(_strongest_paths(lower, upper))
    return Expanded(paths, skipped)


def _strongest_paths(lower: Weights, upper: Weights) -> Paths:
    both = through(lower, upper)

    def listed(found: list[Connection]) -> list[Connection]:
        # A copy of each kernel, so that the rest of them is let go of.
        return [replace(one, kernel=one.kernel.copy(), via=lower.above) for one in found]

    above, below = both.kernels.shape[:2]
    return Paths(
        both.below,
        both.above,
        [listed(both.incoming(channel)) for channel in range(above)],
        [listed(both.outgoing(channel)) for channel in range(below)],
    )


def products(lower: Weights, upper: Weights) -> int:
    """How many products of two weights the paths through the layer between take."""
    return prod(upper.kernels.shape) * prod(lower.kernels.shape[1:])


def through(lower: Weights, upper: Weights) -> Weights:
    """Expanded weights: paths through the layer between, as one filter.

    The linear product of both filters, as if every unit between were active.
    """
    (rows, cols), (more_rows, more_cols) = lower.kernels.shape[2:], upper.kernels.shape[2:]
    above, below = len(upper.kernels), lower.kernels.shape[1]
    kernels = np.zeros((above, below, rows + more_rows - 1, cols + more_cols - 1), np.float32)
    for i in range(more_rows):
        for j in range(more_cols):
            product = np.tensordot(upper.kernels[:, :, i, j], lower.kernels, axes=1)
            kernels[:, :, i : i + rows, j : j + cols] += product
    return Weights(lower.below, upper.above, kernels, lower.mean_peak)
