"""One chunk as a task: read its images, cut out the patches of its entries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import UInt8

from pipeline.crop.patch import cut_patch
from pipeline.dataset.manifest import ImageRow
from pipeline.dataset.store import ImageStore
from pipeline.dataset.verified import load_verified
from pipeline.network.geometry import Field
from pipeline.project.entries import Chunk, Entries, rows_of
from pipeline.storage.spill import Values


@dataclass(frozen=True)
class Setting:
    """What all chunks of a run share."""

    images: ImageStore
    """Where the manifest's images are."""
    resize: int
    """The shortest side after resizing, in pixels."""
    crop: int
    """The side of the network input, in pixels."""
    fields: Mapping[str, Field]
    """The receptive field of each layer."""


@dataclass(frozen=True)
class Job:
    """A chunk of entries, and the manifest's rows of its images."""

    setting: Setting
    chunk: Chunk
    rows: Mapping[int, ImageRow]


def chunk_job(setting: Setting, rows: Sequence[ImageRow], chunk: Chunk) -> Job:
    """The job of a chunk; `rows` are all validation rows of the manifest."""
    return Job(setting, chunk, rows_of(chunk, rows))


def cut_chunk(job: Job, device: torch.device) -> dict[str, Values]:
    """The patches of a chunk's entries, by layer; each image is read once. No device is used.

    Raises AtlasError for an image that is not what the manifest lists.
    """
    at = job.setting
    images = {n: load_verified(at.images, row, at.resize, at.crop) for n, row in job.rows.items()}
    return {
        layer: Values(found.place, {"crop": _patches(at.fields[layer], found, images)})
        for layer, found in job.chunk.items()
    }


def _patches(
    field: Field, found: Entries, images: Mapping[int, UInt8[np.ndarray, "row col 3"]]
) -> UInt8[np.ndarray, "entry box_row box_col 3"]:
    boxes = field.boxes(found.cell)
    return np.stack(
        [cut_patch(images[row], box) for row, box in zip(found.image.tolist(), boxes, strict=True)]
    )
