"""The tables that the protocol ends in: mean per-class accuracy, over folds."""

import csv
import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.transfer.folds import Classifier


@dataclass(frozen=True)
class Line:
    """One way to start, one classifier, one number of images per class."""

    start: str
    """`fc7` and the like: that layer's features, fixed; `scratch`: the whole network learns."""
    classifier: Classifier
    per_class: int
    """Training images of each class."""
    accuracies: tuple[float, ...]
    """Mean per-class accuracy of each fold, a fraction."""

    @property
    def mean(self) -> float:
        """Over the folds."""
        return statistics.fmean(self.accuracies)

    @property
    def deviation(self) -> float:
        """Standard deviation of the folds; 0 of a single one."""
        return statistics.stdev(self.accuracies) if len(self.accuracies) > 1 else 0.0

    def __str__(self) -> str:
        return (
            f"{self.start}, {self.classifier}, {self.per_class} per class: {100 * self.mean:.1f} "
            f"± {100 * self.deviation:.1f} % mean per-class accuracy"
        )


def write_folds(path: Path, lines: Sequence[Line]) -> None:
    """Write the CSV: a row per fold."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["start", "classifier", "per_class", "fold", "mean_class_accuracy"])
        for line in lines:
            for fold, accuracy in enumerate(line.accuracies):
                writer.writerow(
                    [line.start, line.classifier, line.per_class, fold, f"{accuracy:.6f}"]
                )


def write_means(path: Path, lines: Sequence[Line]) -> None:
    """Write the JSON: mean and standard deviation of each line."""
    summary = {
        f"{line.start}_{line.classifier}_{line.per_class}": {
            "mean": line.mean,
            "deviation": line.deviation,
            "folds": len(line.accuracies),
        }
        for line in lines
    }
    path.write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
