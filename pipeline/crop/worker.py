"""The work of one chunk: read its images, cut out the patches of its entries."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from pipeline.atlas.layer_entries import LayerEntries
from pipeline.atlas.patch import cut_patch
from pipeline.atlas.runner import EntryTask
from pipeline.atlas.stored_size import reduced_pixels
from pipeline.dataset.store import ImageStore
from pipeline.dataset.verified import load_verified
from pipeline.network.receptive_field import Field
from pipeline.params import Interpolation
from pipeline.storage.spill import Values


@dataclass(frozen=True)
class CropConfig:
    """The settings that all chunks of a run share."""

    images: ImageStore
    """Where the manifest's images are."""
    framing: tuple[int, int, Interpolation]
    """How an image becomes a square."""
    fields: Mapping[str, Field]
    """The receptive field of each layer."""
    reductions: Mapping[str, int]
    """How far the pictures of each layer are reduced."""
    array: str
    """The name of the array of patches."""


def crop_chunk(task: EntryTask[CropConfig], device: None) -> dict[str, Values]:
    """The patches of a chunk's entries, by layer; each image is read once. No device is used.

    Raises AtlasError for an image that is not what the manifest lists.
    """
    config = task.config
    images = {
        number: load_verified(config.images, row, *config.framing)
        for number, row in task.images.items()
    }
    patches = {
        layer: reduced_pixels(
            _patches(config.fields[layer], part, images), config.reductions[layer]
        )
        for layer, part in task.chunk.items()
    }
    return {
        layer: Values(part.channel, part.rank, {config.array: patches[layer]})
        for layer, part in task.chunk.items()
    }


def _patches(
    field: Field, entries: LayerEntries, images: Mapping[int, UInt8[np.ndarray, "row col 3"]]
) -> UInt8[np.ndarray, "entry box_row box_col 3"]:
    rows, boxes = entries.image.tolist(), field.boxes(entries.cell)
    return np.stack([cut_patch(images[row], box) for row, box in zip(rows, boxes, strict=True)])
