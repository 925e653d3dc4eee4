"""The likeness of a channel's patches to the layer before it, place by place, as in LPIPS.

The layer before is what feeds the layer with no other layer between: of the first one the input, of
a sum or a concatenation the maps that it joins. Of an entry its window there is kept as unit
vectors, one a cell over the channels; nothing has to be downloaded to compare patches.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
import torch
from jaxtyping import Bool, Float, Float16, Float32, Int64
from torch import Tensor

from pipeline.network.feeding import INPUT, layer_feeds
from pipeline.network.geometry import AxisWindow, Windows, seed_of, windows
from pipeline.network.graph import Graph

ENTRY_BYTES = 8192
"""Of an entry's vectors, where its window has more cells than these hold: as many as fit."""

Vectors = Float16[np.ndarray, "entry feature"]
"""Of each entry the unit vectors at all cells kept; 0 where nothing fires, and off the map."""


@dataclass(frozen=True)
class FeedingMap:
    """The features of a layer's patches on one of the maps before it."""

    node: int
    channels: int
    window: Windows
    """Of the layer's units, on this map."""
    places: tuple[Int64[Tensor, " row"], Int64[Tensor, " col"]]
    """The rows and columns of the window that are kept, evenly spaced."""

    @property
    def cells(self) -> int:
        """How many cells are kept."""
        return prod(map(len, self.places))

    @torch.inference_mode()
    def vectors(
        self, maps: Float[Tensor, "channel row col"], cell: Int64[Tensor, "entry 2"]
    ) -> Vectors:
        """The unit vectors of units at some cells of their layer; the map is one image's."""
        (rows, on_rows), (cols, on_cols) = (
            self._on_map(axis, cell, maps.device) for axis in range(2)
        )
        found = maps.permute(1, 2, 0)[rows[:, :, None], cols[:, None, :]]
        found = found.masked_fill(~(on_rows[:, :, None] & on_cols[:, None, :])[..., None], 0)
        # In double precision: squares of small activations would vanish.
        length = torch.linalg.vector_norm(found, dim=3, keepdim=True, dtype=torch.float64)
        unit = found / torch.where(length > 0, length, 1.0)
        return unit.half().flatten(1).cpu().numpy()

    def _on_map(
        self, axis: int, cell: Int64[Tensor, "entry 2"], device: torch.device
    ) -> tuple[Int64[Tensor, "entry place"], Bool[Tensor, "entry place"]]:
        """Places on the map, and which of them are really there."""
        window = self.window[axis]
        at = window.first(cell[:, axis])[:, None] + self.places[axis]
        inside = (at >= 0) & (at < window.cells)
        return at.clamp(0, window.cells - 1).to(device), inside.to(device)


def sources_of(graph: Graph, layer: str) -> tuple[FeedingMap, ...]:
    """The maps before a layer."""
    feeds = layer_feeds(graph)[graph.layers.index(layer)]
    nodes = [0 if feed == INPUT else graph.layer_list[feed].node for feed in feeds]
    reach = windows(graph, seed_of(graph, layer))
    channels = sum(graph.nodes[node].shape[0] for node in nodes)
    side = max(1, int((ENTRY_BYTES / (2 * channels)) ** 0.5))
    return tuple(
        FeedingMap(node, graph.nodes[node].shape[0], reach[node], _places(reach[node], side))
        for node in nodes
    )


def _places(window: Windows, side: int) -> tuple[Int64[Tensor, " row"], Int64[Tensor, " col"]]:
    rows, cols = (_spaced(axis, side) for axis in window)
    return rows, cols


def _spaced(window: AxisWindow, count: int) -> Int64[Tensor, " place"]:
    """The middles of `count` equal parts of a window, or all its cells."""
    count = min(count, window.size)
    return (2 * torch.arange(count) + 1) * window.size // (2 * count)


def feature_count(sources: Sequence[FeedingMap]) -> int:
    """The numbers that are kept of an entry."""
    return sum(source.channels * source.cells for source in sources)


def patch_similarity(
    vectors: Float16[np.ndarray, "channel rank feature"],
    entries: Int64[np.ndarray, " channel"],
    cells: int,
) -> Float32[np.ndarray, " channel"]:
    """1 − half the squared distance of unit vectors, in the mean over cells and pairs of patches.

    Where both vectors are of length 1 that is their cosine, where one is 0 it is ½, where both are
    0 it is 1. `vectors` are 0 where an entry is missing, `entries` says how many are not. NaN for a
    channel with fewer than two.
    """
    wide = vectors.astype(np.float32)
    lengths = np.square(wide).sum(axis=(1, 2), dtype=np.float64)
    together = np.square(wide.sum(axis=1), dtype=np.float64).sum(axis=1)
    # Of n vectors the squared distances of all pairs sum to n Σ|v|² − |Σv|².
    distances = entries * lengths - together
    pairs = entries * (entries - 1) / 2
    found = np.full(len(vectors), np.nan)
    np.divide(distances, 2 * pairs * cells, out=found, where=pairs > 0)
    return (1 - found).astype(np.float32)
