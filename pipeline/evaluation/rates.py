"""Error rates as the paper reports them: one centre crop, and the average over ten crops."""

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32, Int64, UInt8
from torch import Tensor

from pipeline.dataset.prefetch import prefetch
from pipeline.errors import AtlasError
from pipeline.network.model import Model
from pipeline.progress import Advance
from pipeline.training.learner import Learner
from pipeline.training.mean import Normalisation
from pipeline.training.squares import FileSquares, Rows
from pipeline.training.validate import as_views

BATCH = 32
"""Images decoded and classified at a time."""
TOP = 5
"""Classes that the top-5 error allows."""

Probabilities = Float32[np.ndarray, "image class"]
Labels = Int64[np.ndarray, " image"]


@dataclass(frozen=True)
class ErrorRates:
    """evaluate.json: fractions of the validation images."""

    top1_error: float
    """One centre crop."""
    top5_error: float
    """One centre crop; the class is not among the five most probable."""
    top1_error_10crop: float
    """Ten crops, probabilities averaged."""
    top5_error_10crop: float
    """Ten crops, probabilities averaged."""
    mean_class_accuracy: float
    """Accuracy on one centre crop, averaged over the classes that have images."""
    images: int


@dataclass(frozen=True)
class Evaluation:
    """Probabilities of the classes for every image."""

    one_crop: Probabilities
    ten_crops: Probabilities
    labels: Labels

    def rates(self) -> ErrorRates:
        """Sum the probabilities up to error rates."""
        return ErrorRates(
            top1_error=error_rate(self.one_crop, self.labels, 1),
            top5_error=error_rate(self.one_crop, self.labels, TOP),
            top1_error_10crop=error_rate(self.ten_crops, self.labels, 1),
            top5_error_10crop=error_rate(self.ten_crops, self.labels, TOP),
            mean_class_accuracy=mean_class_accuracy(self.one_crop, self.labels),
            images=len(self.labels),
        )


def error_rate(probabilities: Probabilities, labels: Labels, top: int) -> float:
    """Share of the images whose class is not among the `top` most probable.

    Of equal probabilities the earlier class counts as the more probable.
    """
    true = np.take_along_axis(probabilities, labels[:, None], axis=1)
    earlier = np.arange(probabilities.shape[1]) < labels[:, None]
    ahead_of_true = (probabilities > true) | ((probabilities == true) & earlier)
    return float((ahead_of_true.sum(axis=1) >= top).mean())


def mean_class_accuracy(probabilities: Probabilities, labels: Labels) -> float:
    """Mean over the classes of the share of their images that are recognised."""
    right = probabilities.argmax(axis=1) == labels
    counts = np.bincount(labels)
    hits = np.bincount(labels, weights=right)
    return float((hits[counts > 0] / counts[counts > 0]).mean())


def ten_crops(
    squares: UInt8[np.ndarray, "image side side 3"], crop: int
) -> Iterator[UInt8[np.ndarray, "image crop crop 3"]]:
    """The four corners and the centre, each as it is and mirrored."""
    end = squares.shape[1] - crop
    for top, left in [(0, 0), (0, end), (end, 0), (end, end), (end // 2, end // 2)]:
        window = squares[:, top : top + crop, left : left + crop]
        yield window
        yield window[:, :, ::-1]


def evaluate(
    model: Model,
    paths: Sequence[Path],
    labels: Labels,
    device: torch.device,
    threads: int,
    advance: Advance,
) -> Evaluation:
    """Classify every image by its centre crop, the network's input, and by ten crops.

    Raises AtlasError where there is no image, or one cannot be read.
    """
    if not paths:
        raise AtlasError(
            "The manifest lists no validation image.", fix="Add some, then run `dvc repro`."
        )
    classify = Classifier(model, device)
    one, ten = [], []
    inputs = FileSquares(paths, model.card.resize, model.card.crop)
    squares = FileSquares(paths, model.card.resize, model.card.resize)

    def read(rows: Rows) -> tuple[np.ndarray, np.ndarray]:
        return inputs.read(rows), squares.read(rows)

    runs = [np.arange(n, min(n + BATCH, len(paths))) for n in range(0, len(paths), BATCH)]
    for rows, (pixels, wide) in prefetch(read, runs, threads, depth=2 * threads):
        one.append(classify(pixels))
        crops = [classify(crop) for crop in ten_crops(wide, model.card.crop)]
        ten.append(np.mean(crops, axis=0, dtype=np.float32))
        advance(len(rows))
    return Evaluation(np.concatenate(one), np.concatenate(ten), labels)


class Classifier:
    """A model on a device, from pixels to probabilities."""

    def __init__(self, model: Model, device: torch.device) -> None:
        network = model.network.to(device).to(memory_format=torch.channels_last)
        self.learner = Learner(network)
        self.normalisation = Normalisation(model.normalisation.mean, model.card.scale).to(device)
        self.device = device

    @torch.inference_mode()
    def __call__(self, pixels: UInt8[np.ndarray, "image crop crop 3"]) -> Probabilities:
        """Probability of every class for every image."""
        views = as_views(pixels, self.device)
        scores: Tensor = self.learner(self.normalisation.apply(views))
        return np.asarray(scores.softmax(dim=1).cpu().numpy())


def write_rates(path: Path, rates: ErrorRates) -> None:
    """Write evaluate.json."""
    path.write_text(json.dumps(asdict(rates), indent=2) + "\n", encoding="utf-8")


def write_predictions(path: Path, classes: Sequence[str], probabilities: Probabilities) -> None:
    """Write predictions.csv: each image row's most probable class, and its probability."""
    best = probabilities.argmax(axis=1)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["image", "class", "probability"])
        for image, winner in enumerate(best.tolist()):
            writer.writerow([image, classes[winner], f"{probabilities[image, winner]:.6f}"])
