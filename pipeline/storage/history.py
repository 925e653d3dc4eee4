"""The training history, a row per epoch: `reports/train_history.csv`."""

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import AtlasError
from pipeline.storage.reports import rerun

PLOTTED = ["epoch", "train_loss", "val_loss"]
"""Columns that `dvc plots` reads."""
_DEAD, _START = "dead_", "start_cosine_"
"""Prefixes of the columns of a conv layer."""
_TENTHS = [f"start_tenth{tenth}_" for tenth in range(10)]
"""The same, of the filters in each tenth of the cosine."""


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
    start_tenths: dict[str, tuple[int, ...]]
    """By conv layer, the filters in each tenth of that cosine, from 0 to 1; empty where an older
    table has none."""

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
            **{_DEAD + layer: count for layer, count in self.dead.items()},
            "conv1_rms_min": smallest,
            "conv1_rms_median": median,
            "conv1_rms_max": largest,
            "conv1_low_frequency_min": self.conv1_low_frequency[0],
            "conv1_low_frequency_median": self.conv1_low_frequency[1],
            **{_START + layer: cosine for layer, cosine in self.start_cosine.items()},
            **{
                prefix + layer: count
                for layer, counts in self.start_tenths.items()
                for prefix, count in zip(_TENTHS, counts, strict=True)
            },
        }

    @classmethod
    def from_columns(cls, line: Mapping[str, str]) -> "EpochRecord":
        """The record of a line of the table. Raises ValueError where a number is missing."""

        def number(name: str) -> float:
            if not math.isfinite(value := float(line.get(name, ""))):
                raise ValueError(f"{name} is {value}")
            return value

        def optional(name: str) -> float | None:
            return None if line.get(name) == "" else number(name)

        def by_layer(prefix: str) -> dict[str, float]:
            names = [name for name in line if name.startswith(prefix)]
            return {name.removeprefix(prefix): number(name) for name in names}

        return cls(
            epoch=int(line.get("epoch", "")),
            learning_rate=number("learning_rate"),
            train_loss=number("train_loss"),
            train_top1_error=number("train_top1_error"),
            val_loss=optional("val_loss"),
            val_top1_error=optional("val_top1_error"),
            dead={layer: int(count) for layer, count in by_layer(_DEAD).items()},
            conv1_rms=(
                number("conv1_rms_min"),
                number("conv1_rms_median"),
                number("conv1_rms_max"),
            ),
            conv1_low_frequency=(
                number("conv1_low_frequency_min"),
                number("conv1_low_frequency_median"),
            ),
            start_cosine=by_layer(_START),
            start_tenths={
                layer: tuple(int(line.get(prefix + layer, "")) for prefix in _TENTHS)
                for layer in by_layer(_TENTHS[0])
            },
        )


def write_history(path: Path, records: Sequence[EpochRecord]) -> None:
    """Write a line per epoch; a header alone where there was none."""
    lines = [record.columns() for record in records]
    header = list(lines[0]) if lines else PLOTTED
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, header, lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)


def read_history(path: Path) -> tuple[EpochRecord, ...]:
    """Read a table that `write_history` wrote. Raises AtlasError where it is not one."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return tuple(_record(line) for line in csv.DictReader(file, strict=True))
    except (OSError, ValueError, csv.Error) as error:
        raise AtlasError(
            f"{path} is not a training history: {error}.", fix=rerun("train")
        ) from None


def _record(line: Mapping[str | None, Any]) -> EpochRecord:
    if None in line or None in line.values():
        raise ValueError("a row is shorter or longer than the header")
    return EpochRecord.from_columns({str(name): text for name, text in line.items()})
