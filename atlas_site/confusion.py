"""Right and wrong by class: accuracies, and which classes are taken for which."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from pipeline.atlas import Run

LARGEST_MATRIX = 40
"""Classes up to which the whole matrix is shown."""
SHOWN_PAIRS = 100


@dataclass(frozen=True)
class Confused:
    """Images of one class that the network takes for another."""

    label: int
    predicted: int
    images: int


@dataclass(frozen=True)
class Confusion:
    """Counts of images of each class that are predicted as each class, by position in `classes`."""

    classes: Sequence[str]
    counts: Counter[tuple[int, int]]
    """Of validation images by (label, predicted)."""

    @cached_property
    def totals(self) -> tuple[int, ...]:
        """Predicted images by label."""
        total = Counter[int]()
        for (label, _), count in self.counts.items():
            total[label] += count
        return tuple(total[label] for label in range(len(self.classes)))

    def accuracy(self, label: int) -> float | None:
        """The share of a class's images that are right; None without a predicted image."""
        total = self.totals[label]
        return self.counts[label, label] / total if total else None

    @cached_property
    def pairs(self) -> tuple[Confused, ...]:
        """What is taken for what, the most images first, then by the order of the classes."""
        wrong = [(-n, pair) for pair, n in self.counts.items() if pair[0] != pair[1]]
        return tuple(Confused(*pair, -n) for n, pair in sorted(wrong))

    @property
    def rows(self) -> list[list[int]]:
        """The whole matrix, a row per label; empty where there are too many classes to read it."""
        every = range(len(self.classes))
        if len(self.classes) > LARGEST_MATRIX:
            return []
        return [[self.counts[label, predicted] for predicted in every] for label in every]


def confusion(run: Run, classes: Sequence[str]) -> Confusion | None:
    """The confusion over the validation images that have a class.

    None where there is none, or no prediction.
    """
    number = {name: position for position, name in enumerate(classes)}
    counts = Counter(
        (number[run.images[row].label], number[prediction.label])
        for row, prediction in run.reports.predictions().items()
        if prediction.label in number and run.images[row].label
    )
    return Confusion(classes, counts) if counts else None
