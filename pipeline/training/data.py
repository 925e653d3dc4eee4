"""Training data: both splits of a task, their mean, and the batches of an epoch."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Int64
from safetensors.torch import load, save
from torch import Tensor

from pipeline.adopt.external_weights import read_external_weights
from pipeline.dataset.decoded import DecodedImages, ImageDataset, Rows, open_cache, should_cache
from pipeline.dataset.manifest import class_indices
from pipeline.dataset.prefetch import prefetch
from pipeline.errors import AtlasError
from pipeline.network.card import INPUT_MEAN, load_card
from pipeline.network.normalisation import Normalisation
from pipeline.progress import Advance
from pipeline.storage.checked import read_checked, write_checked
from pipeline.training.distributed import Group
from pipeline.training.task import ExecutionConfig, TrainingTask


@dataclass(frozen=True)
class TrainingData:
    """Both splits of a task."""

    train: ImageDataset
    """Centre squares of the resized images."""
    train_labels: Int64[np.ndarray, " train"]
    val: ImageDataset
    """Network inputs before normalisation."""
    val_labels: Int64[np.ndarray, " val"]
    normalisation: Normalisation
    """On the machine's device."""


def load_training_data(
    task: TrainingTask, config: ExecutionConfig, group: Group, state: Path, advance: Advance
) -> TrainingData:
    """Decode the images to disk where that pays, and take their mean.

    Raises AtlasError without the images that the recipe needs, for one that cannot be read, or
    where the weights that the training starts from presuppose inputs of another scale.
    """
    data, epochs = task.params.data, task.params.train.epochs
    classes = task.manifest.classes
    train_rows, val_rows = task.manifest.split("train"), task.manifest.split("val")
    if not train_rows:
        raise AtlasError(
            "The manifest has no training images.",
            fix="Provide images in folders by class, or take a trained network with `atlas adopt`.",
        )
    if not val_rows and task.params.train.schedule == "plateau":
        raise AtlasError(
            "train.schedule plateau follows the validation error, "
            "but there are no validation images.",
            fix="Set train.schedule: cosine, or raise data.val_fraction.",
        )
    inherited = None if task.init_weights is None else _inherited(task, task.init_weights)
    train = DecodedImages(task.images, train_rows, data.resize, data.resize)
    val = DecodedImages(task.images, val_rows, data.resize, data.crop)
    folder = config.pixels or state
    train_squares = _maybe_cached(train, folder / "train.npy", epochs + 1, config, group, advance)
    val_squares = _maybe_cached(val, folder / "val.npy", epochs, config, group, advance)
    mean = _mean(task, train_squares, config, group, state) if inherited is None else inherited
    scale = torch.tensor(task.params.train.scale).reshape(1, 1, 1)
    return TrainingData(
        train_squares,
        class_indices(train_rows, classes),
        val_squares,
        class_indices(val_rows, classes),
        Normalisation(mean, scale).to(config.device),
    )


def _maybe_cached(
    squares: DecodedImages,
    path: Path,
    reads: int,
    config: ExecutionConfig,
    group: Group,
    advance: Advance,
) -> ImageDataset:
    """The images, out of the file at `path` where that pays; the main process decides."""
    wanted = config.cache
    if wanted is None:
        wanted = path.exists() or should_cache(squares, reads, path.parent)
    if not int(group.all_reduce_max(torch.tensor(int(group.is_main and wanted)))):
        return squares
    if group.is_main:
        open_cache(squares, path, config.threads, advance)
    group.barrier()
    return open_cache(squares, path, config.threads, advance)


def _mean(
    task: TrainingTask, squares: ImageDataset, config: ExecutionConfig, group: Group, state: Path
) -> Float[Tensor, "3 #crop #crop"]:
    """The mean of the training images, taken once."""
    path = state / "mean.safetensors"
    if (content := read_checked(path)) is not None:
        return load(content.getvalue())[INPUT_MEAN]
    mean = mean_of(
        squares,
        task.params.data.crop,
        task.params.train.mean,
        group,
        config.threads,
        lambda _: None,
    )
    if group.is_main:
        kept = save({INPUT_MEAN: mean})
        write_checked(path, lambda file: file.write(kept))
    group.barrier()
    return mean


def _inherited(task: TrainingTask, start: Path) -> Float[Tensor, "3 #crop #crop"] | None:
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


def _check_scale(
    start: Path, trained_with: float | tuple[float, float, float], scale: float
) -> None:
    if trained_with != scale:
        raise AtlasError(
            f"{start} was trained with inputs scaled by {trained_with}, "
            f"but train.scale is {scale}.",
            fix=f"Set train.scale to {trained_with} in params.yaml.",
        )


def epoch_batches(count: int, size: int, order: torch.Generator) -> list[Rows]:
    """All image rows in a drawn order, cut into batches; the last may be smaller."""
    rows: Rows = torch.randperm(count, generator=order).numpy()
    return [rows[first : first + size] for first in range(0, count, size)]


def to_device(values: np.ndarray, device: torch.device) -> Tensor:
    """An array as a tensor on a device; to a GPU through pinned memory, without waiting."""
    tensor = torch.from_numpy(values)
    if device.type == "cpu":
        return tensor
    return tensor.pin_memory().to(device, non_blocking=True)


RUN = 64
"""Images summed at a time."""


def mean_of(
    squares: ImageDataset,
    crop: int,
    kind: Literal["pixel", "channel"],
    group: Group,
    threads: int,
    advance: Advance,
) -> Float[Tensor, "3 #crop #crop"]:
    """Mean of the centre crops of all squares, by pixel or by colour.

    Sums are whole numbers, so no order of the images and no number of processes changes a bit.
    """
    sums = np.zeros((crop, crop, 3), np.int64)
    first = (squares.side - crop) // 2
    inside = slice(first, first + crop)

    def run_sum(rows: Rows) -> Int64[np.ndarray, "crop crop 3"]:
        return np.asarray(squares.__getitems__(rows)[:, inside, inside].sum(axis=0, dtype=np.int64))

    for rows, part in prefetch(run_sum, _share(len(squares), group), threads, depth=2 * threads):
        sums += part
        advance(len(rows))
    total = group.all_reduce_sum(torch.from_numpy(sums).permute(2, 0, 1).contiguous())
    if kind == "channel":
        return (total.sum(dim=(1, 2), keepdim=True).double() / (len(squares) * crop**2)).float()
    return (total.double() / len(squares)).float()


def _share(count: int, group: Group) -> Iterator[Rows]:
    mine = np.arange(count)[group.shard(count)]
    for first in range(0, len(mine), RUN):
        yield mine[first : first + RUN]
