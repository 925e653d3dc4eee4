"""The images of a task, ready to be read: squares for training, crops for validation, the mean."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int64
from safetensors.torch import load_file, save_file
from torch import Tensor

from pipeline.errors import AtlasError
from pipeline.network.foreign import read_foreign
from pipeline.network.model import INPUT_MEAN, load_card
from pipeline.progress import Advance
from pipeline.storage.publish import publish
from pipeline.training.group import Group
from pipeline.training.labels import labels_of
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
    """Decode the images into the state folder where that pays, and take their mean."""
    data, epochs = task.params.data, task.params.train.epochs
    classes = task.manifest.classes
    train_rows, val_rows = task.manifest.split("train"), task.manifest.split("val")
    if not train_rows:
        raise AtlasError("The manifest lists no training image.", fix="Run `dvc repro prepare`.")
    train_labels, val_labels = labels_of(train_rows, classes), labels_of(val_rows, classes)
    train = FileSquares(task.paths(train_rows), data.resize, data.resize)
    val = FileSquares(task.paths(val_rows), data.resize, data.crop)

    def ready(squares: FileSquares, name: str, reads: int) -> Squares:
        wanted = machine.cache
        if wanted is None:
            wanted = worth_caching(squares, reads, state)
        if not wanted:
            return squares
        if group.leads:
            cached(squares, state / name, machine.threads, advance)
        group.wait()
        return cached(squares, state / name, machine.threads, advance)

    train_squares = ready(train, "train.npy", epochs + 1)
    val_squares = ready(val, "val.npy", epochs)
    mean = _mean(task, train_squares, machine, group, state)
    normalisation = Normalisation(mean, task.params.train.scale).to(machine.device)
    return Images(train_squares, train_labels, val_squares, val_labels, normalisation)


def _mean(
    task: Task, squares: Squares, machine: Machine, group: Group, state: Path
) -> Float[Tensor, "3 #crop #crop"]:
    """The mean that the start's weights were trained with, else that of the training images."""
    if task.start is not None and (mean := _inherited(task, task.start)) is not None:
        return mean
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
    mean = read_foreign(start).mean
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
