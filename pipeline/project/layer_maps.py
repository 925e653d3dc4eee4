"""The maps of an image that the entries of a layer need: the map of each entry's channel, a
byte per cell, and what the layer before sees of its patch.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float16, Float32, Int64, Shaped, UInt8
from torch import Tensor

from pipeline.atlas.layer_entries import LayerEntries
from pipeline.network.graph import Graph
from pipeline.network.window import Pair
from pipeline.project.patch_similarity import (
    FeedingMap,
    feature_count,
    patch_similarity,
    sources_of,
)
from pipeline.storage.scan_record import ScanRecord
from pipeline.storage.spill import ByChannel, Table

Arrays = Mapping[str, Shaped[np.ndarray, "entry ..."]]
"""The values of some entries by the name of their array."""


@dataclass(frozen=True)
class LayerMaps:
    """The maps that a layer's entries need, and their use."""

    node: int
    """The node that makes the layer's own map."""
    size: Pair
    sources: tuple[FeedingMap, ...]
    """The maps before the layer."""

    @property
    def nodes(self) -> frozenset[int]:
        """The nodes whose maps are needed."""
        return frozenset({self.node, *(source.node for source in self.sources)})

    @property
    def arrays(self) -> Mapping[str, tuple[tuple[int, ...], str]]:
        """Shape and dtype of what is kept of one entry."""
        return {
            "activation_map": (self.size, "uint8"),
            "map_range": ((2,), "float32"),
            "patch_features": ((feature_count(self.sources),), "float16"),
        }

    def table(self, record: ScanRecord) -> Table:
        """The layer in the spill. Features are read for the likeness of patches alone."""
        channels, ranks = record.image.shape
        entries = (record.image >= 0).sum(axis=1)
        cells = sum(source.cells for source in self.sources)

        def similarity(
            part: slice, vectors: Float16[np.ndarray, "channel rank feature"]
        ) -> Float32[np.ndarray, " channel"]:
            return patch_similarity(vectors, entries[part], cells)

        made = {"patch_similarity": ByChannel("patch_features", similarity)}
        return Table(channels, ranks, self.arrays, made)

    def empty(self, entries: int) -> Arrays:
        """The arrays of some entries, to be filled by `keep`."""
        return {n: np.empty((entries, *shape), dtype) for n, (shape, dtype) in self.arrays.items()}

    def keep(
        self,
        found: Arrays,
        places: Int64[np.ndarray, " place"],
        entries: LayerEntries,
        node: int,
        maps: Float[Tensor, "channel row col"],
    ) -> None:
        """Copy out of a node's maps of one image what some of the entries need of it."""
        if node == self.node:
            channels = torch.from_numpy(entries.channel[places]).to(maps.device)
            levels, ends = quantised(maps[channels].cpu().numpy())
            found["activation_map"][places], found["map_range"][places] = levels, ends
        first = 0
        for source in self.sources:
            stop = first + feature_count([source])
            if node == source.node:
                cell = torch.from_numpy(entries.cell[places]).long()
                found["patch_features"][places, first:stop] = source.vectors(maps, cell)
            first = stop


def layer_maps(graph: Graph, layer: str) -> LayerMaps:
    """What is kept for the entries of a layer."""
    return LayerMaps(graph.layer(layer).node, graph.layer(layer).size, sources_of(graph, layer))


def quantised(
    maps: Float32[np.ndarray, "entry row col"],
) -> tuple[UInt8[np.ndarray, "entry row col"], Float32[np.ndarray, "entry 2"]]:
    """Levels 0 to 255 from the least to the largest value of each map, and these two values.

    A value is least + level / 255 × (largest − least), to half a level. A constant map is 0.
    """
    ends = np.stack([maps.min(axis=(1, 2)), maps.max(axis=(1, 2))], axis=1)
    least, extent = ends[:, 0, None, None], (ends[:, 1] - ends[:, 0])[:, None, None]
    share = np.divide(maps - least, extent, out=np.zeros_like(maps), where=extent > 0)
    return np.rint(255 * share).astype(np.uint8), ends
