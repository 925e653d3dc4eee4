"""The report of a training run: `reports/train.json`."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from pipeline.storage.history import EpochRecord
from pipeline.storage.reports import Report


@dataclass(frozen=True)
class Spread:
    """The spread of shares from 0 to 1 over a layer's filters."""

    min: float
    median: float
    max: float
    histogram: tuple[int, ...]
    """Filters in each of equal parts, from the lowest."""

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Spread":
        """The spread of a part of the file."""
        return cls(
            min=float(content["min"]),
            median=float(content["median"]),
            max=float(content["max"]),
            histogram=tuple(int(count) for count in content["histogram"]),
        )


@dataclass(frozen=True, kw_only=True)
class TrainingReport(Report):
    """The size of the network, how its training run ended, and how far it went."""

    stage: ClassVar[str] = "train"

    epochs_trained: int
    """Whole epochs; 0 of a network trained elsewhere."""
    stopped_early: bool
    """Whether it was asked to end before the last epoch."""
    parameters: int
    """Weights of all layers."""
    channels: dict[str, int]
    """Of each layer."""
    last: EpochRecord | None = None
    """The last epoch; None where there was none."""
    start_cosine: dict[str, Spread] | None = None
    """By conv layer, of the |cosine| of each filter with its start; None where it is not known."""
    conv1_low_frequency: Spread | None = None
    """Of the share of the first layer's filters' energy below 0.2 cycles per pixel."""

    def to_json(self) -> dict[str, Any]:
        """The record as an object of JSON; what is not known is left out."""
        last = {} if self.last is None else self.last.columns()
        content: dict[str, Any] = {
            "epochs_trained": self.epochs_trained,
            "stopped_early": self.stopped_early,
            "parameters": self.parameters,
            "channels": self.channels,
            **{name: value for name, value in last.items() if name != "epoch"},
        }
        if self.start_cosine is not None:
            content["start_cosine"] = {la: asdict(s) for la, s in self.start_cosine.items()}
        if self.conv1_low_frequency is not None:
            content["conv1_low_frequency"] = asdict(self.conv1_low_frequency)
        return content

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "TrainingReport":
        """The record of such an object. Raises what Python does where it is none."""
        epochs = int(content["epochs_trained"])
        start, low = content.get("start_cosine"), content.get("conv1_low_frequency")
        cells = {name: "" if value is None else str(value) for name, value in content.items()}
        return cls(
            epochs_trained=epochs,
            stopped_early=bool(content["stopped_early"]),
            parameters=int(content["parameters"]),
            channels={layer: int(count) for layer, count in content["channels"].items()},
            last=EpochRecord.from_columns(cells | {"epoch": str(epochs)}) if epochs else None,
            start_cosine=start and {layer: Spread.from_json(s) for layer, s in start.items()},
            conv1_low_frequency=low and Spread.from_json(low),
        )
