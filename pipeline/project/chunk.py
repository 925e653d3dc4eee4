"""One chunk as a task: read its images, project its entries, hand the results back."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.compute.device import set_products
from pipeline.compute.resident import load_agreed_model, resident
from pipeline.dataset.manifest import ImageRow
from pipeline.dataset.store import ImageStore
from pipeline.dataset.verified import load_verified
from pipeline.network.model import Model
from pipeline.network.overflow import is_overflow_safe
from pipeline.project.entries import Chunk, rows_of
from pipeline.project.projector import Projector
from pipeline.storage.spill import Values


@dataclass(frozen=True)
class Setting:
    """What all chunks of a run share."""

    model: Path
    """The model's folder, readable by every worker."""
    weights_sha256: str
    """Of the weights in it; with it, a worker keeps the model from one chunk to the next."""
    images: ImageStore
    """Where the manifest's images are."""
    layers: tuple[str, ...]
    """The layers projected."""
    batch_size: int
    """Projections in one reverse pass."""


@dataclass(frozen=True)
class Job:
    """A chunk of entries, and the manifest's rows of the images that it needs."""

    setting: Setting
    chunk: Chunk
    rows: dict[int, ImageRow]


def chunk_job(setting: Setting, rows: Sequence[ImageRow], chunk: Chunk) -> Job:
    """The job of a chunk; `rows` are all validation rows of the manifest."""
    return Job(setting, chunk, rows_of(chunk, rows))


def project_chunk(job: Job, device: torch.device) -> dict[str, Values]:
    """Project a chunk's entries, by layer. Each image is read once.

    Raises AtlasError for an image that is not what the manifest lists.
    """
    set_products(device, tf32=False)
    model, projector = loaded(job.setting, device)
    needed = projector.passes.images_needed(job.chunk).tolist()
    images = {row: load_input(model, job, row, device) for row in needed}
    return projector(job.chunk, images, device)


def load_input(
    model: Model, job: Job, row: int, device: torch.device
) -> Float[Tensor, "1 3 row col"]:
    """One of a job's images as the network takes it. Raises AtlasError as `project_chunk` does."""
    pixels = load_verified(job.setting.images, job.rows[row], model.card.resize, model.card.crop)
    return model.normalisation(torch.tensor(pixels).permute(2, 0, 1)[None].to(device))


@resident
def loaded(setting: Setting, device: torch.device) -> tuple[Model, Projector]:
    """The model on a device, loaded when a process meets it first."""
    model = load_agreed_model(setting.model, setting.weights_sha256)
    finite = is_overflow_safe(model, [model.graph.output])
    network = model.network.to(device)
    return model, Projector(network, setting.layers, setting.batch_size, finite=finite)
