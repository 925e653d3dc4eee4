"""The plan of the forward passes that find each entry's switches: a function of the chunk."""

from collections.abc import Collection, Iterator, Mapping

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from pipeline.atlas.chunks import Chunk
from pipeline.atlas.layer_entries import LayerEntries
from pipeline.network.geometry import seed_of, windows
from pipeline.network.module import Network
from pipeline.params import Method
from pipeline.project.backward import Switches
from pipeline.project.forward_work import needs_whole_image, whole_macs, window_macs
from pipeline.project.method import recorded
from pipeline.project.placement import rectangle
from pipeline.project.switch_maps import SwitchMaps, cut_windows
from pipeline.project.switches import SwitchFinder

Images = Mapping[int, Float[Tensor, "1 colour row col"]]
"""Network inputs, normalised, by image row."""


class ForwardPlan:
    """The forward passes of a network for the switches of its layers.

    An image runs forward whole, alone, once, if that is less work than the windows of its entries;
    else each window runs, in batches of windows. Nothing but the chunk decides it.
    """

    def __init__(
        self, network: Network, methods: Mapping[str, Method], batch_size: int, *, finite: bool
    ) -> None:
        graph = network.graph
        self._graph = graph
        self._batch_size = batch_size
        self._finder = SwitchFinder(network, finite=finite)
        self._nodes = {layer: recorded(graph, layer, way) for layer, way in methods.items()}
        self._windows = {layer: windows(graph, seed_of(graph, layer)) for layer in methods}
        self._window_macs = {
            layer: window_macs(graph, layer, nodes) for layer, nodes in self._nodes.items()
        }
        self._never_windows = {
            layer for layer, nodes in self._nodes.items() if needs_whole_image(graph, layer, nodes)
        }
        self._whole: dict[frozenset[int], int] = {}

    def nodes(self, layer: str) -> tuple[int, ...]:
        """The nodes whose switches a layer's way down needs."""
        return self._nodes[layer]

    def images_needed(self, chunk: Chunk) -> Int64[np.ndarray, " image"]:
        """The image rows whose pixels the chunk's projections depend on, ascending."""
        rows = [found.image for layer, found in chunk.items() if self._nodes[layer]]
        return np.unique(np.concatenate([np.empty(0, np.int64), *rows]))

    def whole_images(self, chunk: Chunk) -> dict[int, frozenset[int]]:
        """The images that run forward whole, and the nodes whose switches they give."""
        whole: dict[int, frozenset[int]] = {}
        for row in self.images_needed(chunk).tolist():
            counts = {layer: int((found.image == row).sum()) for layer, found in chunk.items()}
            layers = [layer for layer, count in counts.items() if count]
            nodes = frozenset(at for layer in layers for at in self._nodes[layer])
            work = sum(counts[layer] * self._window_macs[layer] for layer in layers)
            if work > self._whole_macs(nodes) or self._never_windows.intersection(layers):
                whole[row] = nodes
        return whole

    def _whole_macs(self, nodes: frozenset[int]) -> int:
        if nodes not in self._whole:
            self._whole[nodes] = whole_macs(self._graph, nodes)
        return self._whole[nodes]

    def maps(self, image: Float[Tensor, "1 _ _ _"], nodes: Collection[int]) -> SwitchMaps:
        """The switches of some nodes for a whole image."""
        return self._finder.maps(image, nodes)

    def batches(
        self, found: LayerEntries, whole: Mapping[int, object]
    ) -> Iterator[Int64[np.ndarray, " entry"]]:
        """A layer's entries in batches of nearly equal size: those of whole images, then windows.

        No batch holds both kinds.
        """
        kinds = np.isin(found.image, list(whole))
        for kind in (True, False):
            entries = np.nonzero(kinds == kind)[0]
            if count := -(-len(entries) // self._batch_size):
                yield from np.array_split(entries, count)

    def switches(
        self,
        layer: str,
        found: LayerEntries,
        batch: Int64[np.ndarray, " entry"],
        images: Images,
        maps: Mapping[int, SwitchMaps],
    ) -> Switches:
        """The switches of a batch of a layer's entries; `maps` holds those of whole images."""
        nodes = self._nodes[layer]
        if not nodes:
            return {}
        rows, cell = found.image[batch].tolist(), torch.from_numpy(found.cell[batch]).long()
        if rows[0] in maps:
            return cut_windows(self._windows[layer], [maps[row] for row in rows], cell, nodes)
        row_wise, col_wise = self._windows[layer][0]
        size = row_wise.size, col_wise.size
        tops, lefts = row_wise.first(cell[:, 0]), col_wise.first(cell[:, 1])
        patches = [
            rectangle(images[image], top, left, size)
            for image, top, left in zip(rows, tops.tolist(), lefts.tolist(), strict=True)
        ]
        return self._finder.windows(torch.cat(patches), cell, self._windows[layer], nodes)
