"""The work of one chunk: read its images, project its entries, hand the results back."""

from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.atlas import Run
from pipeline.atlas.runner import EntryTask
from pipeline.atlas.stored_size import reduction
from pipeline.compute.device import configure_matmul
from pipeline.compute.worker_cache import cached_per_process, load_pinned_model
from pipeline.dataset.store import ImageStore
from pipeline.dataset.verified import load_verified
from pipeline.network.centres import unit_centres
from pipeline.network.model import Model
from pipeline.network.overflow import is_overflow_safe
from pipeline.network.receptive_field import receptive_field
from pipeline.params import WantedMethod
from pipeline.project.control import load_start
from pipeline.project.energy import energy_boxes
from pipeline.project.method import method_of
from pipeline.project.projector import Projector
from pipeline.storage.spill import Values


@dataclass(frozen=True)
class ProjectConfig:
    """The settings that all chunks of a run share."""

    model: Path
    """The model's folder, readable by every worker."""
    model_sha256: str
    """Of its card; with it, a worker keeps the model from one chunk to the next."""
    images: ImageStore
    """Where the manifest's images are."""
    layers: tuple[str, ...]
    """The layers projected."""
    batch_size: int
    """Projections in one reverse pass."""
    ranks: int
    """Entries per channel, on which the pictures' size depends."""
    method: WantedMethod
    """How a signal passes activation functions."""
    start_seed: int | None = None
    """To project through the network at its start: the seed of weights that must be drawn again."""
    snapshot: int | None = None
    """The epoch of the weights that are projected through; None: the trained ones."""


ProjectTask = EntryTask[ProjectConfig]


def config_of(run: Run) -> ProjectConfig:
    """How a run projects all its scanned layers."""
    return ProjectConfig(
        run.model_folder,
        run.card.sha256,
        run.image_store,
        run.layers,
        run.params.project.batch_size,
        next(iter(run.records.values())).image.shape[1],
        run.params.project.method,
    )


def project_chunk(task: ProjectTask, device: torch.device) -> dict[str, Values]:
    """Project a chunk's entries, by layer. Each image is read once.

    Raises AtlasError for an image that is not what the manifest lists.
    """
    found = {}
    for layer, values in _projected(task, device).items():
        model, _ = load_projector(task.config, device)
        cells = task.chunk[layer].cell
        frames = receptive_field(model.graph, layer).boxes(cells)
        centres = unit_centres(model.graph, layer, cells)
        factor = reduction(model.graph, layer, task.config.ranks)
        energy = energy_boxes(values.arrays["projection"], frames, centres, factor)
        arrays = {**values.arrays, "energy_box": energy}
        found[layer] = Values(values.channel, values.rank, arrays)
    return found


def control_chunk(task: ProjectTask, device: torch.device) -> dict[str, Values]:
    """The same through the network at its start, under the names of the control's arrays."""
    return {
        layer: Values(
            values.channel,
            values.rank,
            {"control": values.arrays["projection"], "control_scale": values.arrays["scale"]},
        )
        for layer, values in _projected(task, device).items()
    }


def _projected(task: ProjectTask, device: torch.device) -> dict[str, Values]:
    configure_matmul(device, tf32=False)
    model, projector = load_projector(task.config, device)
    needed = projector.passes.images_needed(task.chunk).tolist()
    images = {row: load_input(model, task, row, device) for row in needed}
    return projector(task.chunk, images, device)


def load_input(
    model: Model, task: ProjectTask, row: int, device: torch.device
) -> Float[Tensor, "1 3 row col"]:
    """One of a task's images as the network takes it. Raises AtlasError as `project_chunk` does."""
    pixels = load_verified(task.config.images, task.images[row], *model.card.framing)
    return model.normalisation(torch.tensor(pixels).permute(2, 0, 1)[None].to(device))


@cached_per_process
def load_projector(config: ProjectConfig, device: torch.device) -> tuple[Model, Projector]:
    """The model on a device; a process reads it once."""
    if config.start_seed is None:
        model = load_pinned_model(config.model, config.model_sha256, config.snapshot)
    else:
        model = load_start(config.model, config.model_sha256, config.start_seed)
    finite = is_overflow_safe(model, [model.graph.output])
    network = model.network.to(device)
    methods = {layer: method_of(model.graph, layer, config.method) for layer in config.layers}
    factors = {layer: reduction(model.graph, layer, config.ranks) for layer in config.layers}
    projector = Projector(network, methods, config.batch_size, finite=finite, reductions=factors)
    return model, projector
