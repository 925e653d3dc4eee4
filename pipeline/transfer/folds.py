"""The protocol, and the images that a fold learns from and is tested on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pipeline.dataset.manifest import ImageRow, Manifest, sorted_manifest
from pipeline.dataset.seeding import rng_for
from pipeline.errors import AtlasError

Classifier = Literal["softmax", "svm"]
"""A softmax regression, or linear support vector machines, one for each class."""


@dataclass(frozen=True)
class Protocol:
    """The protocol of the folds; on Caltech-101 the paper has 15 or 30, 50, and 5."""

    per_class: int
    """Training images of each class."""
    test_per_class: int
    """At most so many of its other images are tested."""
    folds: int


def draw_fold(rows: Sequence[ImageRow], protocol: Protocol, seed: int, fold: int) -> Manifest:
    """Draw a new split, class by class: some images train, some of the others validate.

    The split that the rows come with does not matter. Raises AtlasError where a class has too few
    images to leave one for the test.
    """
    split: list[ImageRow] = []
    by_class: dict[str, list[ImageRow]] = {}
    for row in sorted(rows, key=lambda row: (row.label.encode(), row.path.encode())):
        by_class.setdefault(row.label, []).append(row)
    for number, (label, members) in enumerate(by_class.items()):
        if len(members) <= protocol.per_class:
            raise AtlasError(
                f"The class {label!r} has {len(members)} images: too few to learn from "
                f"{protocol.per_class} and test on others.",
                fix="Ask for fewer images per class, or raise data.val_per_class.",
            )
        rng = rng_for(seed, "fold", protocol.per_class, fold, number)
        order = rng.permutation(len(members)).tolist()
        end = protocol.per_class + protocol.test_per_class
        split += [replace(members[i], split="train") for i in order[: protocol.per_class]]
        split += [replace(members[i], split="val") for i in order[protocol.per_class : end]]
    return sorted_manifest(split)
