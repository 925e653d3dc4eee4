"""The images of a task, ready to be read: squares for training, crops for validation, the mean."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int64
from safetensors.torch import load_file, save_file
from torch import Tensor

from pipeline.adopt.external_weights import read_external_weights
from pipeline.dataset.manifest import class_indices
from pipeline.errors import AtlasError
from pipeline.network.model import INPUT_MEAN, load_card
from pipeline.progress import Advance
from pipeline.storage.publish import publish
from pipeline.training.group import Group
from pipeline.training.mean import Normalisation, mean_of
from pipeline.training.squares import FileSquares, Squares, cached, worth_caching
from pipeline.training.task import Machine, Task


@dataclass(frozen=True)
class Images:
    """Both splits of a task."""

    train: Squares
    """Centre squares of the resized images."""
    train_labels: Int64[np.ndarray, " train"]
    val: Squares
    """Network inputs before normalisation."""
    val_labels: Int64[np.ndarray, " val"]
    normalisation: Normalisation
    """On the machine's device."""


def open_images(
    task: Task, machine: Machine, group: Group, state: Path, advance: Advance
) -> Images:
    """Decode the images to disk where that pays, and take their mean.

    Raises AtlasError without the images that the recipe needs, for one that cannot be read, or
    where the weights that the training starts from presuppose inputs of another scale.
    """
    data, epochs = task.params.data, task.params.train.epochs
    classes = task.manifest.classes
    train_rows, val_rows = task.manifest.split("train"), task.manifest.split("val")
    if not train_rows:
        raise AtlasError("The manifest lists no training image.", fix="Run `dvc repro prepare`.")
    if not val_rows and task.params.train.schedule == "plateau":
        raise AtlasError(
            "train.schedule plateau follows the validation error, but there is no such image.",
            fix="Set train.schedule: cosine, or raise data.val_fraction.",
        )
    inherited = None if task.start is None else _inherited(task, task.start)
    train = FileSquares(task.paths(train_rows), data.resize, data.resize)
    val = FileSquares(task.paths(val_rows), data.resize, data.crop)
    folder = machine.pixels or state
    train_squares = _ready(train, folder / "train.npy", epochs + 1, machine, group, advance)
    val_squares = _ready(val, folder / "val.npy", epochs, machine, group, advance)
    mean = _mean(task, train_squares, machine, group, state) if inherited is None else inherited
    return Images(
        train_squares,
        class_indices(train_rows, classes),
        val_squares,
        class_indices(val_rows, classes),
        Normalisation(mean, task.params.train.scale).to(machine.device),
    )


def _ready(
    squares: FileSquares, path: Path, reads: int, machine: Machine, group: Group, advance: Advance
) -> Squares:
    """The squares, out of the file at `path` where that pays; the group's first process decides."""
    wanted = machine.cache
    if wanted is None:
        wanted = path.exists() or worth_caching(squares, reads, path.parent)
    if not int(group.max(torch.tensor(int(group.leads and wanted)))):
        return squares
    if group.leads:
        cached(squares, path, machine.threads, advance)
    group.wait()
    return cached(squares, path, machine.threads, advance)


def _mean(
    task: Task, squares: Squares, machine: Machine, group: Group, state: Path
) -> Float[Tensor, "3 #crop #crop"]:
    """The mean of the training images, taken once."""
    path = state / "mean.safetensors"
    if not path.exists():
        train = task.params.train
        mean = mean_of(
            squares, task.params.data.crop, train.mean, group, machine.threads, lambda _: None
        )
        if group.leads:
            with publish(path) as partial:
                save_file({INPUT_MEAN: mean}, partial)
        group.wait()
    return load_file(path)[INPUT_MEAN]


def _inherited(task: Task, start: Path) -> Float[Tensor, "3 #crop #crop"] | None:
    """The mean of the inputs that a weights file was trained with, if it or its model's card says.

    A mean image of another size than this input's is reduced to its colour. Raises AtlasError where
    that model's inputs were scaled otherwise.
    """
    if (start.parent / "model.json").exists():
        card = load_card(start.parent)
        _check_scale(start, card.scale, task.params.train.scale)
        if card.mean != INPUT_MEAN:
            return torch.tensor(card.mean, dtype=torch.float32).reshape(3, 1, 1)
    mean = read_external_weights(start).mean
    if mean is not None and mean.shape[-1] not in (1, task.params.data.crop):
        mean = mean.mean(dim=(1, 2), keepdim=True)
    return None if mean is None else mean.float()


def _check_scale(start: Path, trained_with: float, scale: float) -> None:
    if trained_with != scale:
        raise AtlasError(
            f"{start} was trained with inputs scaled by {trained_with}, "
            f"but train.scale is {scale}.",
            fix=f"Set train.scale to {trained_with} in params.yaml.",
        )
