"""The report of a verification: `reports/verify.json`."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from pipeline.storage.reports import Report


@dataclass(frozen=True, kw_only=True)
class VerdictCount:
    """How many entries were recomputed, and how the reference judged them."""

    entries: int
    agreed: int
    tied: int
    """Right, but only with the run's own choice among values that agree to rounding."""
    wrong: int

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "VerdictCount":
        """The numbers of such an object. Raises what Python does where one is missing."""
        return cls(
            entries=int(content["entries"]),
            agreed=int(content["agreed"]),
            tied=int(content["tied"]),
            wrong=int(content["wrong"]),
        )


@dataclass(frozen=True, kw_only=True)
class LayerVerification:
    """The verdicts of a layer, and how far its worst entry is off."""

    count: VerdictCount
    worst_projection_error: float
    """Relative L2."""
    worst_activation_error: float
    """In units of a channel's own peak, plus a little of the layer's."""

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "LayerVerification":
        """The part of the file that is of a layer. Raises what Python does where it is none."""
        return cls(
            count=VerdictCount.from_json(content),
            worst_projection_error=float(content["worst_projection_error"]),
            worst_activation_error=float(content["worst_activation_error"]),
        )


@dataclass(frozen=True, kw_only=True)
class VerificationReport(Report):
    """What was checked, how well it agreed, and what is wrong."""

    stage: ClassVar[str] = "verify"
    count: VerdictCount
    images: int
    """Those that were looked for among the entries."""
    seed: int
    """Of the sample."""
    projection_error_allowed: float
    faults: int
    first_faults: tuple[str, ...]
    """In words; the others are only counted."""
    layers: dict[str, LayerVerification]

    @property
    def worst_projection_error(self) -> float | None:
        """Of all layers whose error is a number; None where there is none."""
        errors = (layer.worst_projection_error for layer in self.layers.values())
        return max(filter(math.isfinite, errors), default=None)

    def to_json(self) -> dict[str, Any]:
        """The report as an object of JSON."""
        content = asdict(self)
        layers = {name: layer.pop("count") | layer for name, layer in content["layers"].items()}
        return {**content.pop("count"), **content, "layers": layers}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "VerificationReport":
        """The report of such an object. Raises what Python does where it is none."""
        return cls(
            count=VerdictCount.from_json(content),
            images=int(content["images"]),
            seed=int(content["seed"]),
            projection_error_allowed=float(content["projection_error_allowed"]),
            faults=int(content["faults"]),
            first_faults=tuple(str(fault) for fault in content["first_faults"]),
            layers={
                str(name): LayerVerification.from_json(layer)
                for name, layer in content["layers"].items()
            },
        )
