"""The verdicts of a verification, summed up."""

from collections.abc import Sequence

from pipeline.storage.verification_report import (
    LayerVerification,
    VerdictCount,
    VerificationReport,
)
from pipeline.verify.entry import PROJECTION_ERROR, Verdict

FAULTS_SHOWN = 50
"""More are only counted."""


def verification_report(
    seed: int, verdicts: Sequence[Verdict], images: int, faults: Sequence[str]
) -> VerificationReport:
    """The report of verdicts on a sample.

    `images` is how many were looked for among the entries; `faults` are those of no single entry.
    """
    found = [*faults, *(fault for verdict in verdicts for fault in verdict.faults)]
    layers = dict.fromkeys(verdict.entry.layer for verdict in verdicts)
    return VerificationReport(
        count=_count(verdicts),
        images=images,
        seed=seed,
        projection_error_allowed=PROJECTION_ERROR,
        faults=len(found),
        first_faults=tuple(found[:FAULTS_SHOWN]),
        layers={name: _layer([v for v in verdicts if v.entry.layer == name]) for name in layers},
    )


def _count(verdicts: Sequence[Verdict]) -> VerdictCount:
    states = [verdict.status for verdict in verdicts]
    return VerdictCount(
        entries=len(states),
        agreed=states.count("agreed"),
        tied=states.count("tied"),
        wrong=states.count("wrong"),
    )


def _layer(verdicts: Sequence[Verdict]) -> LayerVerification:
    return LayerVerification(
        count=_count(verdicts),
        worst_projection_error=max(verdict.projection_error for verdict in verdicts),
        worst_activation_error=max(verdict.activation_error for verdict in verdicts),
    )
