"""Versions of the stages' resumable state, raised by hand."""

from typing import Literal, get_args

Stateful = Literal[
    "train", "pixels", "scan", "project", "crop", "transfer", "probe", "ablations", "figures"
]

VERSIONS: dict[Stateful, int] = {
    "train": 2,
    "pixels": 2,
    "scan": 3,
    "project": 4,
    "crop": 2,
    "transfer": 2,
    "probe": 1,
    "ablations": 1,
    "figures": 1,
}
"""Part of the key of a stage's state.

Raise a version when state that older code left must not be resumed by the new code: it holds other
values, or has another form. An edit that changes neither keeps the version, and the user's work.
tests/test_state_versions.py asks at every change of a stage's code which of the two it is.
"""
assert set(VERSIONS) == set(get_args(Stateful))
