"""`atlas import-weights`: a model from weights trained elsewhere."""

import math
from dataclasses import replace
from pathlib import Path

import click
import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.adopt.external_weights import (
    TORCHVISION_STD,
    ExternalWeights,
    load_strict,
    read_external_weights,
)
from pipeline.dataset.prepared import prepared_manifest
from pipeline.dataset.store import open_images
from pipeline.errors import AtlasError
from pipeline.network.card import INPUT_MEAN, ModelCard
from pipeline.network.model import save_model
from pipeline.network.module import empty_network
from pipeline.network.outs import publish_network
from pipeline.network.weights_file import Tensors
from pipeline.params import load_params
from pipeline.storage.state import held
from pipeline.training.artifacts import mean_field, per_pixel, training_report
from pipeline.training.task import TrainingResult, TrainingTask
from pipeline.workspace import Workspace
from stages.command import stage

TORCHVISION_SCALE = 3 / sum(TORCHVISION_STD)
"""Any would do: conv1 makes up for it. This one keeps its weights near torchvision's."""

Mean = Float[Tensor, "3 #crop #crop"]


@stage
@click.argument("weights", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--mean",
    type=float,
    nargs=3,
    help="Subtracted from red, green and blue, 0…255; not needed where the file has input_mean.",
)
@click.option(
    "--scale",
    type=click.FloatRange(min=0, min_open=True),
    help="What the difference is multiplied by.",
)
def main(
    workspace: Workspace,
    weights: Path,
    mean: tuple[float, float, float] | None,
    scale: float | None,
) -> None:
    """Write artifacts/model/ from WEIGHTS, a .safetensors, .pt, .pth or .ckpt file of tensors.

    The network is the one of params.yaml, its classes are the manifest's. Nothing in the file is
    executed. What does not fit is named.

    torchvision's AlexNet needs no option: its normalisation becomes a part of conv1. For other
    files, pass the --mean and --scale they were trained with.
    """
    params = load_params(workspace.params)
    images = open_images(workspace.images(params.data.root))
    task = TrainingTask(params, prepared_manifest(workspace), images, None)
    _check_options(mean, scale)
    foreign = read_external_weights(weights)
    tensors, subtracted, scale = _normalised(foreign, mean, scale)
    network = load_strict(empty_network(task.graph()), tensors, weights)
    _check_side(subtracted, task.params.data.crop, weights)
    trained = TrainingResult(network, subtracted, 0, False, (), (), start=None)
    with held(workspace.state("train")):
        publish_network(
            workspace,
            lambda folder: _save(folder, task, trained, scale),
            trained.history,
            training_report(trained),
        )
    click.echo(
        f"{workspace.model} now holds the weights of {weights}. "
        "Run `dvc commit -f train`, then `dvc repro`."
    )


def _check_options(mean: tuple[float, float, float] | None, scale: float | None) -> None:
    given = (*(mean or ()), *(() if scale is None else (scale,)))
    if not all(map(math.isfinite, given)):
        raise AtlasError(
            f"--mean and --scale must be finite numbers, not {given}.", fix="Correct them."
        )


def _normalised(
    foreign: ExternalWeights, mean: tuple[float, float, float] | None, scale: float | None
) -> tuple[Tensors, Mean, float]:
    """Tensors, and the mean and scale of their inputs: as the options say, else as the file does.

    Raises AtlasError where neither does.
    """
    if mean is not None:
        given = torch.tensor(mean, dtype=torch.float64).reshape(3, 1, 1)
        foreign = replace(foreign, mean=given, deviation=None)
    if foreign.mean is None:
        raise AtlasError(
            f"{foreign.path} does not say what was subtracted from the pixels.",
            fix="Add --mean R G B, in 0…255.",
        )
    if scale is None and foreign.deviation is not None:
        scale = TORCHVISION_SCALE
    if scale is None:
        raise AtlasError(
            f"{foreign.path} does not say what pixel − mean was multiplied by.",
            fix="Add --scale, of an atlas' model the `scale` of its model.json.",
        )
    return foreign.at_scale(scale), foreign.mean, scale


def _check_side(mean: Mean, crop: int, weights: Path) -> None:
    if per_pixel(mean) and mean.shape[-1] != crop:
        raise AtlasError(
            f"{weights}: {INPUT_MEAN} is {tuple(mean.shape)}, not (3, {crop}, {crop}).",
            fix="Set data.crop to its side.",
        )


def _save(folder: Path, task: TrainingTask, trained: TrainingResult, scale: float) -> ModelCard:
    folder.mkdir()
    data = task.params.data
    weights = dict(trained.network.state_dict())
    if per_pixel(trained.mean):
        weights[INPUT_MEAN] = trained.mean.float()
    card = ModelCard(
        **task.params.own_model.model_dump(),
        classes=task.manifest.classes,
        resize=data.resize,
        crop=data.crop,
        mean=mean_field(trained.mean),
        scale=scale,
        seed=task.params.seed,
        epochs_trained=0,
        weights_sha256="",
        manifest_sha256=task.manifest.sha256,
    )
    return save_model(folder, card, weights)
