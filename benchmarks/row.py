"""One line of the table of docs/performance.md."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Row:
    """A measurement beside what it is compared with."""

    name: str
    """What is measured."""
    against: str
    """What it is compared with, in the same run; empty for a plain value."""
    measured: float
    """The ratio, or the value."""
    unit: str
    """Of the value; `×` for a ratio."""
    goal: float
    better: Literal["higher", "lower"]
    note: str
    """The two quantities, and how they were taken."""
