"""Projections of the entries of a chunk: which forward pass each needs, and in which batches."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float, Float16, Float32, Int64
from torch import Tensor

from pipeline.network.module import Network
from pipeline.project.deconvnet import Deconvnet, Switches, Units
from pipeline.project.entries import Chunk, Entries
from pipeline.project.switches import (
    SwitchFinder,
    SwitchMaps,
    cut_windows,
    whole_macs,
    window_macs,
)
from pipeline.project.window import pools_below, spans
from pipeline.storage.spill import Values


class Projector:
    """A network's deconvnets, and the forward pass that finds their switches.

    An image runs forward whole, alone, once, if that is less work than the windows of its entries
    do; else each window runs. Which it is depends on the chunk alone, and so do the batches.
    A result is a projection divided by its largest magnitude, which is its `scale`.
    """

    def __init__(self, network: Network, layers: Sequence[str], batch_size: int) -> None:
        self._chain = network.chain
        self._batch_size = batch_size
        self._finder = SwitchFinder(network)
        self._deconvnets = {layer: Deconvnet(network, layer) for layer in layers}
        self._pools = {layer: len(pools_below(network.chain, layer)) for layer in layers}
        self._whole = {layer: whole_macs(network.chain, layer) for layer in layers}
        self._window = {layer: window_macs(network.chain, layer) for layer in layers}

    def images_needed(self, chunk: Chunk) -> Int64[np.ndarray, " image"]:
        """The image rows whose pixels the chunk's projections depend on, ascending."""
        rows = [found.image for layer, found in chunk.items() if self._pools[layer]]
        return np.unique(np.concatenate([np.empty(0, np.int64), *rows]))

    @torch.inference_mode()
    def __call__(
        self, chunk: Chunk, images: Mapping[int, Float[Tensor, "1 3 row col"]], device: torch.device
    ) -> dict[str, Values]:
        """Project a chunk's entries; `images` are the normalised inputs of those needed."""
        maps = self._whole_images(chunk, images)
        return {
            layer: self._layer(layer, found, images, maps, device) for layer, found in chunk.items()
        }

    def _whole_images(
        self, chunk: Chunk, images: Mapping[int, Float[Tensor, "1 3 row col"]]
    ) -> dict[int, SwitchMaps]:
        """Switch maps of the images for which a whole forward pass is less work."""
        maps = {}
        for row, image in images.items():
            counts = {layer: int((found.image == row).sum()) for layer, found in chunk.items()}
            present = [layer for layer, count in counts.items() if count]
            deepest = max(present, key=lambda layer: self._pools[layer])
            if sum(counts[layer] * self._window[layer] for layer in present) > self._whole[deepest]:
                maps[row] = self._finder.maps(image, deepest)
        return maps

    def _layer(
        self,
        layer: str,
        found: Entries,
        images: Mapping[int, Float[Tensor, "1 3 row col"]],
        maps: Mapping[int, SwitchMaps],
        device: torch.device,
    ) -> Values:
        """All entries of a layer: first those of whole images, then those of windows."""
        whole = np.isin(found.image, list(maps))
        places, pictures, scales = [], [], []
        for batch in self._batches(whole):
            units = _units(found, batch, device)
            rows = found.image[batch].tolist()
            switches = self._switches(layer, rows, units, images, maps)
            picture, scale = _stored(self._deconvnets[layer](units, switches))
            places.append(found.place[batch])
            pictures.append(picture)
            scales.append(scale)
        arrays = {"projection": np.concatenate(pictures), "scale": np.concatenate(scales)}
        return Values(np.concatenate(places), arrays)

    def _batches(self, whole: Bool[np.ndarray, " entry"]) -> Iterator[Int64[np.ndarray, " entry"]]:
        """Entries in batches of nearly equal size; whole images and windows never in one."""
        for kind in (True, False):
            entries = np.nonzero(whole == kind)[0]
            if count := -(-len(entries) // self._batch_size):
                yield from np.array_split(entries, count)

    def _switches(
        self,
        layer: str,
        rows: Sequence[int],
        units: Units,
        images: Mapping[int, Float[Tensor, "1 3 row col"]],
        maps: Mapping[int, SwitchMaps],
    ) -> Switches:
        if not self._pools[layer]:
            return {}
        if rows[0] in maps:
            return cut_windows(self._chain, layer, [maps[row] for row in rows], units.cell)
        span = spans(self._chain, layer)[0]
        first = span.first(units.cell).tolist()
        patches = [
            cut_patch(images[image], row, col, span.size)
            for image, (row, col) in zip(rows, first, strict=True)
        ]
        return self._finder.windows(torch.cat(patches), units.cell, layer)


def cut_patch(
    image: Float[Tensor, "1 3 row col"], row: int, col: int, side: int
) -> Float[Tensor, "1 3 side side"]:
    """A square out of an image; 0 where it reaches outside."""
    patch = image.new_zeros(1, 3, side, side)
    top, left = max(0, row), max(0, col)
    part = image[:, :, top : row + side, left : col + side]
    bottom, right = top - row + part.shape[2], left - col + part.shape[3]
    patch[:, :, top - row : bottom, left - col : right] = part
    return patch


def _units(found: Entries, batch: Int64[np.ndarray, " entry"], device: torch.device) -> Units:
    return Units(
        torch.from_numpy(found.channel[batch]).to(device),
        torch.from_numpy(found.cell[batch].astype(np.int64)),
        torch.from_numpy(found.activation[batch]).to(device),
    )


def _stored(
    picture: Float[Tensor, "entry row col 3"],
) -> tuple[Float16[np.ndarray, "entry row col 3"], Float32[np.ndarray, " entry"]]:
    """Divide each picture by its largest magnitude; one that is 0 everywhere stays so."""
    scale = picture.abs().amax(dim=(1, 2, 3))
    divisor = torch.where(scale > 0, scale, 1.0)[:, None, None, None]
    return (picture / divisor).half().cpu().numpy(), scale.cpu().numpy()
