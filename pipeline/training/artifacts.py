"""The artifacts of a training run: the model folder, the records of its epochs, the report."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import torch
from jaxtyping import Float
from safetensors.torch import save_file
from torch import Tensor

from pipeline.network.architectures import parameter_count
from pipeline.network.card import INPUT_MEAN, ModelCard, snapshot_path
from pipeline.network.filters import filter_rms, low_frequency_share
from pipeline.network.model import save_model
from pipeline.network.module import Network
from pipeline.network.start_cosine import start_cosine, tenths
from pipeline.storage.history import EpochRecord
from pipeline.storage.training_report import Spread, TrainingReport
from pipeline.training.checkpoint import Position, read_snapshot, snapshots_of_state
from pipeline.training.init import conv_weights
from pipeline.training.losses import Validation
from pipeline.training.task import TrainingResult, TrainingTask

Filters = Mapping[str, Float[Tensor, "out in row col"]]
BINS = 10
"""Of a histogram in the report: tenths."""


def write_model(
    folder: Path, task: TrainingTask, trained: TrainingResult, state: Path
) -> ModelCard:
    """Fill a new model folder: weights, card, snapshots, and the first layer's filters by epoch."""
    folder.mkdir()
    weights = dict(trained.network.state_dict())
    if per_pixel(trained.mean):
        weights[INPUT_MEAN] = trained.mean
    for epoch in snapshots_of_state(state):
        if (content := read_snapshot(state, epoch)) is not None:
            snapshot_path(folder, epoch).parent.mkdir(exist_ok=True)
            snapshot_path(folder, epoch).write_bytes(content)
    filters = {f"epoch_{n:03d}": t for n, t in enumerate(trained.filters, start=1)}
    save_file(filters, folder / "filters.safetensors")
    return save_model(folder, _card(task, trained), weights)


def per_pixel(mean: Float[Tensor, "3 #crop #crop"]) -> bool:
    """Whether a mean is an image, which is stored beside the weights."""
    return mean.shape[-1] > 1


def _card(task: TrainingTask, trained: TrainingResult) -> ModelCard:
    data = task.params.data
    return ModelCard(
        arch=task.params.own_model.arch,
        variant=task.variant,
        classes=task.manifest.classes,
        resize=data.resize,
        crop=data.crop,
        mean=mean_field(trained.mean),
        scale=task.params.train.scale,
        seed=task.params.seed,
        epochs_trained=trained.epochs,
        weights_sha256="",
        manifest_sha256=task.manifest.sha256,
    )


def mean_field(
    mean: Float[Tensor, "3 #crop #crop"],
) -> tuple[float, float, float] | Literal["input_mean"]:
    """A mean by colour in numbers, or the name of the tensor beside the weights."""
    if per_pixel(mean):
        return "input_mean"
    red, green, blue = mean.flatten().tolist()
    return red, green, blue


def epoch_record(
    network: Network, start: Filters, position: Position, rate: float, validation: Validation
) -> EpochRecord:
    """The record of the epoch whose last step was taken, at a learning rate, and validated.

    `start` are the conv layers' weights before the first step.
    """
    filters = _filters(network)
    first = filters[network.graph.conv_layers[0]]
    rms, coarse = filter_rms(first), low_frequency_share(first)
    cosines = _cosines(filters, start)
    return EpochRecord(
        epoch=position.epoch + 1,
        learning_rate=rate,
        train_loss=position.loss_sum / position.seen,
        train_top1_error=position.wrong / position.seen,
        val_loss=validation.loss,
        val_top1_error=validation.top1_error,
        dead=validation.dead,
        conv1_rms=(rms.min().item(), rms.median().item(), rms.max().item()),
        conv1_low_frequency=(coarse.min().item(), coarse.median().item()),
        start_cosine={layer: found.median().item() for layer, found in cosines.items()},
        start_tenths={layer: tenths(found.numpy()) for layer, found in cosines.items()},
    )


def training_report(trained: TrainingResult) -> TrainingReport:
    """The last epoch's record, how the run ended, and how far it went from its start."""
    graph, filters = trained.network.graph, _filters(trained.network)
    cosines = {} if trained.start is None else _cosines(filters, trained.start)
    return TrainingReport(
        epochs_trained=trained.epochs,
        stopped_early=trained.stopped_early,
        parameters=parameter_count(graph),
        channels={layer: graph.layer(layer).channels for layer in graph.conv_layers},
        last=trained.history[-1] if trained.history else None,
        start_cosine={layer: _spread(found) for layer, found in cosines.items()} or None,
        conv1_low_frequency=_spread(low_frequency_share(filters[graph.conv_layers[0]])),
    )


def _filters(network: Network) -> Filters:
    return {layer: w.detach().cpu() for layer, w in conv_weights(network).items()}


def _cosines(filters: Filters, start: Filters) -> dict[str, Float[Tensor, " filter"]]:
    return {
        layer: torch.from_numpy(start_cosine(w.numpy(), start[layer].numpy()))
        for layer, w in filters.items()
    }


def _spread(shares: Float[Tensor, " filter"]) -> Spread:
    counts = torch.histc(shares, bins=BINS, min=0, max=1).int().tolist()
    return Spread(shares.min().item(), shares.median().item(), shares.max().item(), tuple(counts))
