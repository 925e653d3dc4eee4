"""What is known of each epoch: `reports/train_history.csv`."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PLOTTED = ["epoch", "train_loss", "val_loss"]
"""What `dvc plots` reads of it."""


@dataclass(frozen=True)
class EpochRecord:
    """One epoch; fractions and losses are means over its images."""

    epoch: int
    """From 1."""
    learning_rate: float
    """Of its last step."""
    train_loss: float
    """As learnt from: augmented images, dropout on, labels smoothed."""
    train_top1_error: float
    """On the same."""
    val_loss: float | None
    """On the centre crops of the validation images; None without any."""
    val_top1_error: float | None
    """On the same."""
    dead: dict[str, int]
    """Channels of each conv layer that no validation image excites; empty without any."""
    conv1_rms: tuple[float, float, float]
    """Smallest, median and largest root mean square of the first layer's filters."""
    conv1_low_frequency: tuple[float, float]
    """Smallest and median share of their energy below 0.2 cycles per pixel."""
    start_cosine: dict[str, float]
    """By conv layer, the median |cosine| of a filter with its start."""

    def columns(self) -> dict[str, float | int | None]:
        """The record as a line of the table."""
        smallest, median, largest = self.conv1_rms
        return {
            "epoch": self.epoch,
            "learning_rate": self.learning_rate,
            "train_loss": self.train_loss,
            "train_top1_error": self.train_top1_error,
            "val_loss": self.val_loss,
            "val_top1_error": self.val_top1_error,
            **{f"dead_{layer}": count for layer, count in self.dead.items()},
            "conv1_rms_min": smallest,
            "conv1_rms_median": median,
            "conv1_rms_max": largest,
            "conv1_low_frequency_min": self.conv1_low_frequency[0],
            "conv1_low_frequency_median": self.conv1_low_frequency[1],
            **{f"start_cosine_{layer}": cosine for layer, cosine in self.start_cosine.items()},
        }


def write_history(path: Path, records: Sequence[EpochRecord]) -> None:
    """Write a line per epoch; a header alone where there was none."""
    lines = [record.columns() for record in records]
    header = list(lines[0]) if lines else PLOTTED
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, header, lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)
