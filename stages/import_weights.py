"""`atlas import-weights`: make a model of weights trained elsewhere."""

from pathlib import Path

import click

from pipeline.dataset.manifest import read_manifest
from pipeline.errors import AtlasError
from pipeline.network.foreign import fill, read_foreign
from pipeline.network.model import INPUT_MEAN, ModelCard, save_model
from pipeline.network.module import empty_network
from pipeline.params import load_params
from pipeline.storage.hashing import sha256_of
from pipeline.storage.publish import publish
from pipeline.training.task import Task
from pipeline.workspace import Workspace
from stages.command import stage

IMAGENET_MEAN = (123.675, 116.28, 103.53)
"""Mean colour of the ImageNet training images, as torchvision's models expect it (0…255)."""
IMAGENET_SCALE = 1 / 57.375
"""One over the mean of torchvision's three standard deviations; a model here has one scale."""


@stage
@click.argument("weights", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--mean",
    type=float,
    nargs=3,
    default=IMAGENET_MEAN,
    show_default=True,
    help="Subtracted from red, green and blue, 0…255, unless the file holds input_mean.",
)
@click.option(
    "--scale",
    type=float,
    default=IMAGENET_SCALE,
    show_default=True,
    help="What the difference is multiplied by.",
)
def main(
    workspace: Workspace, weights: Path, mean: tuple[float, float, float], scale: float
) -> None:
    """Write artifacts/model/ from WEIGHTS, a .safetensors, .pt or .pth file of tensors.

    The network is the one of params.yaml, its classes are the manifest's; torchvision's AlexNet
    names are understood. Nothing in the file is executed. What does not fit is named.
    """
    task = Task(
        load_params(workspace.params), read_manifest(workspace.manifest), workspace.root, None
    )
    tensors = read_foreign(weights)
    network = fill(empty_network(task.chain()), tensors, weights)
    kept = dict(network.state_dict())
    input_mean = tensors.get(INPUT_MEAN)
    if input_mean is not None:
        _check_mean(input_mean.shape, task.params.data.crop, weights)
        kept[INPUT_MEAN] = input_mean
    params = task.params
    card = ModelCard(
        arch=params.model.arch,
        width=params.model.width,
        conv_channels=params.model.conv_channels,
        fc_features=params.model.fc_features,
        without=params.model.without,
        classes=task.manifest.classes,
        resize=params.data.resize,
        crop=params.data.crop,
        mean=mean if input_mean is None else "input_mean",
        scale=scale,
        seed=params.seed,
        epochs_trained=0,
        weights_sha256="",
        manifest_sha256=sha256_of(workspace.manifest),
    )
    with publish(workspace.model) as folder:
        folder.mkdir()
        save_model(folder, card, kept)
    click.echo(f"{workspace.model} now holds the weights of {weights}. Run `dvc commit -f train`.")


def _check_mean(shape: tuple[int, ...], crop: int, weights: Path) -> None:
    if tuple(shape) != (3, crop, crop):
        raise AtlasError(
            f"{weights}: {INPUT_MEAN} is {tuple(shape)}, not (3, {crop}, {crop}).",
            fix="Set data.crop to its side.",
        )
