"""The network's answer for every validation image: `artifacts/predictions.csv`."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from pipeline.errors import AtlasError
from pipeline.storage.reports import rerun

COLUMNS = ("image", "class", "probability")


@dataclass(frozen=True)
class Prediction:
    """The network's answer for one image."""

    image: int
    """Image row in the validation split."""
    label: str
    """The most probable class; of equally probable ones the first."""
    probability: float
    """Its softmax."""


def predictions(
    classes: Sequence[str], probabilities: Float32[np.ndarray, "image class"]
) -> list[Prediction]:
    """The most probable class of every image row; nothing where there are no classes."""
    if not classes:
        return []
    best = probabilities.argmax(axis=1).tolist()
    return [
        Prediction(image, classes[winner], float(probabilities[image, winner]))
        for image, winner in enumerate(best)
    ]


def write_predictions(path: Path, found: Sequence[Prediction]) -> None:
    """Write a line per image; probabilities to six places."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for one in found:
            writer.writerow([one.image, one.label, f"{one.probability:.6f}"])


def read_predictions(path: Path) -> list[Prediction]:
    """Read a table that `write_predictions` wrote.

    Raises AtlasError where it is not one: of every image in order a class and a probability.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            lines = csv.reader(file, strict=True)
            if tuple(next(lines, ())) != COLUMNS:
                raise ValueError(f"its columns are not {', '.join(COLUMNS)}")
            return [_prediction(image, cells) for image, cells in enumerate(lines)]
    except (OSError, ValueError, csv.Error) as error:
        raise AtlasError(
            f"{path} is not a table of predictions: {error}.", fix=rerun("evaluate")
        ) from None


def _prediction(image: int, cells: list[str]) -> Prediction:
    if len(cells) != len(COLUMNS) or int(cells[0]) != image:
        raise ValueError(f"row {image} is not of image row {image}")
    if not 0 <= (probability := float(cells[2])) <= 1:
        raise ValueError(f"row {image} has the probability {cells[2]}")
    return Prediction(image, cells[1], probability)
