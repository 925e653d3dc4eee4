"""Reports of `verify` in which all entries agree, but for what is said."""

from collections.abc import Mapping

from pipeline.storage.verification_report import (
    LayerVerification,
    VerdictCount,
    VerificationReport,
)


def layer_report(entries: int, worst: float) -> LayerVerification:
    """Of a layer whose worst projection has this error."""
    count = VerdictCount(entries=entries, agreed=entries, tied=0, wrong=0)
    return LayerVerification(count=count, worst_projection_error=worst, worst_activation_error=1e-6)


def report_of(layers: Mapping[str, LayerVerification], tied: int = 0) -> VerificationReport:
    """Of these layers; `tied` of the entries agree up to a tie."""
    entries = sum(layer.count.entries for layer in layers.values())
    return VerificationReport(
        count=VerdictCount(entries=entries, agreed=entries - tied, tied=tied, wrong=0),
        images=3,
        seed=0,
        projection_error_allowed=2e-3,
        faults=0,
        first_faults=(),
        layers=dict(layers),
    )
