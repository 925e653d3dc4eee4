"""`verify.json`: what was checked, how well it agreed, and what is wrong."""

from collections.abc import Sequence
from typing import Any

from pipeline.verify.entry import PROJECTION_ERROR, Verdict

FAULTS_SHOWN = 50
"""More are only counted."""

Count = dict[str, int | float]


def verify_report(
    seed: int, verdicts: Sequence[Verdict], images: int, faults: Sequence[str]
) -> dict[str, Any]:
    """The content of verify.json.

    `images` is how many were looked for among the entries; `faults` are those of no single entry.
    """
    found = [*faults, *(fault for verdict in verdicts for fault in verdict.faults)]
    layers = dict.fromkeys(verdict.entry.layer for verdict in verdicts)
    return {
        **_counts(verdicts),
        "images": images,
        "seed": seed,
        "projection_error_allowed": PROJECTION_ERROR,
        "faults": len(found),
        "first_faults": found[:FAULTS_SHOWN],
        "layers": {name: _layer([v for v in verdicts if v.entry.layer == name]) for name in layers},
    }


def _counts(verdicts: Sequence[Verdict]) -> Count:
    states = [verdict.status for verdict in verdicts]
    return {
        "entries": len(states),
        "agreed": states.count("agreed"),
        "tied": states.count("tied"),
        "wrong": states.count("wrong"),
    }


def _layer(verdicts: Sequence[Verdict]) -> Count:
    return {
        **_counts(verdicts),
        "worst_projection_error": max(verdict.projection_error for verdict in verdicts),
        "worst_activation_error": max(verdict.activation_error for verdict in verdicts),
    }
