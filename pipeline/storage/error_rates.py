"""The report of an evaluation: `reports/evaluate.json`."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from pipeline.storage.reports import Report


@dataclass(frozen=True, kw_only=True)
class ErrorRates(Report):
    """Error rates as the paper reports them, as fractions of the images of known class.

    None where there is no such image.
    """

    stage: ClassVar[str] = "evaluate"
    top1_error: float | None = None
    """One centre crop."""
    top5_error: float | None = None
    """One centre crop; the class is not among the five most probable."""
    top1_error_10crop: float | None = None
    """Ten crops, probabilities averaged; None where only one was classified."""
    top5_error_10crop: float | None = None
    """The same, for the five most probable classes."""
    mean_class_accuracy: float | None = None
    """Accuracy on one centre crop, averaged over the classes that have images."""
    images: int
    """Those of known class."""

    def to_json(self) -> dict[str, Any]:
        """The rates by name; what was not measured is left out."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "ErrorRates":
        """The rates of such an object. Raises what Python does where it is none."""
        rates = {
            name: float(content[name])
            for name in cls.__dataclass_fields__
            if name in content and name != "images"
        }
        return cls(**rates, images=int(content["images"]))
