"""What training is measured on: the presets' recipes on photographs of a few classes."""

from dataclasses import replace
from pathlib import Path

from benchmarks.world import PHOTOS, write_photographs
from pipeline.dataset.manifest import ImageRow, Manifest
from pipeline.dataset.store import ImageStore, open_images
from pipeline.params import load_params
from pipeline.storage.hashing import sha256_of
from pipeline.training.task import TrainingTask

PRESETS = Path(__file__).parents[1] / "presets"
CLASSES = 4


def demo_task(folder: Path, images: int) -> TrainingTask:
    """The demo preset on photographs."""
    return TrainingTask(load_params(PRESETS / "demo.yaml"), *_photographs(folder, images), None)


def zfnet_task(
    folder: Path, images: int, width: float, side: int, batch: int, precision: str
) -> TrainingTask:
    """The paper's recipe on photographs, at some width, size of input and of batch."""
    params = load_params(PRESETS / "imagenet.yaml")
    changed = {
        "data": {"resize": side * 8 // 7, "crop": side},
        "model": {"width": width},
        "train": {"batch_size": batch, "precision": precision, "schedule": "cosine"},
    }
    parts = {name: getattr(params, name).model_copy(update=new) for name, new in changed.items()}
    return TrainingTask(params.model_copy(update=parts), *_photographs(folder, images), None)


def in_precision(task: TrainingTask, precision: str) -> TrainingTask:
    """The same in another precision."""
    train = task.params.train.model_copy(update={"precision": precision})
    return replace(task, params=task.params.model_copy(update={"train": train}))


def _photographs(folder: Path, images: int) -> tuple[Manifest, ImageStore]:
    """A data set of made-up photographs, as JPEG files; some are listed several times."""
    write_photographs(folder, min(images, PHOTOS))
    photos = folder / "photos"
    listed = [
        ImageRow("train", file.name, str(number % CLASSES), 500, 375, sha256_of(file))
        for number, file in enumerate(sorted(photos.iterdir()))
    ]
    rows = tuple(listed[number % len(listed)] for number in range(images))
    return Manifest(rows), open_images(photos)
