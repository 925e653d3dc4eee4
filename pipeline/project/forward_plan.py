"""Which forward pass finds each entry's switches, and in which batch: a function of the chunk."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from pipeline.entries.chunks import Chunk
from pipeline.entries.layer_entries import LayerEntries
from pipeline.network.geometry import windows
from pipeline.network.module import Network
from pipeline.network.ops import Pair
from pipeline.project.deconvnet import Switches, pools_below
from pipeline.project.switches import (
    SwitchFinder,
    SwitchMaps,
    cut_windows,
    whole_macs,
    window_macs,
)

Images = Mapping[int, Float[Tensor, "1 3 row col"]]
"""Network inputs, normalised, by image row."""


class ForwardPlan:
    """The forward passes of a network for the switches of its layers.

    An image runs forward whole, alone, once, if that is less work than the windows of its entries;
    else each window runs, in batches of windows. Nothing but the chunk decides it.
    """

    def __init__(
        self, network: Network, layers: Sequence[str], batch_size: int, *, finite: bool
    ) -> None:
        self._graph = network.graph
        self._batch_size = batch_size
        self._finder = SwitchFinder(network, finite=finite)
        self._pools = {layer: len(pools_below(network.graph, layer)) for layer in layers}
        self._whole = {layer: whole_macs(network.graph, layer) for layer in layers}
        self._window = {layer: window_macs(network.graph, layer) for layer in layers}

    def images_needed(self, chunk: Chunk) -> Int64[np.ndarray, " image"]:
        """The image rows whose pixels the chunk's projections depend on, ascending."""
        rows = [found.image for layer, found in chunk.items() if self._pools[layer]]
        return np.unique(np.concatenate([np.empty(0, np.int64), *rows]))

    def whole_image_depths(self, chunk: Chunk) -> dict[int, str]:
        """The images that run forward whole, and the layer that says how far up."""
        depths: dict[int, str] = {}
        for row in self.images_needed(chunk).tolist():
            counts = {layer: int((found.image == row).sum()) for layer, found in chunk.items()}
            deepest = max(filter(counts.get, counts), key=self._pools.__getitem__)
            work = sum(count * self._window[layer] for layer, count in counts.items())
            if work > self._whole[deepest]:
                depths[row] = deepest
        return depths

    def maps(self, image: Float[Tensor, "1 3 row col"], deepest: str) -> SwitchMaps:
        """The switches of a whole image, as far up as a layer's signal passes."""
        return self._finder.maps(image, deepest)

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
        if not self._pools[layer]:
            return {}
        rows, cell = found.image[batch].tolist(), torch.from_numpy(found.cell[batch]).long()
        if rows[0] in maps:
            return cut_windows(self._graph, layer, [maps[row] for row in rows], cell)
        (row_wise, col_wise) = windows(self._graph, layer)[0]
        size = row_wise.size, col_wise.size
        tops, lefts = row_wise.first(cell[:, 0]), col_wise.first(cell[:, 1])
        patches = [
            cut_patch(images[image], top, left, size)
            for image, top, left in zip(rows, tops.tolist(), lefts.tolist(), strict=True)
        ]
        return self._finder.windows(torch.cat(patches), cell, layer)


def cut_patch(
    image: Float[Tensor, "1 3 row col"], row: int, col: int, size: Pair
) -> Float[Tensor, "1 3 patch_row patch_col"]:
    """A rectangle out of an image; 0 where it reaches outside."""
    patch = image.new_zeros(*image.shape[:2], *size)
    top, left = max(0, row), max(0, col)
    part = image[:, :, top : row + size[0], left : col + size[1]]
    bottom, right = top - row + part.shape[2], left - col + part.shape[3]
    patch[:, :, top - row : bottom, left - col : right] = part
    return patch
