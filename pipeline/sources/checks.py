"""Checks of a prepared data set: what is too little to use, in numbers and reasons."""

import logging
from collections import Counter
from collections.abc import Iterable, Sequence

from pipeline.dataset.manifest import ImageRow
from pipeline.errors import AtlasError
from pipeline.sources.protocol import Candidate
from pipeline.sources.rejected import Rejection

log = logging.getLogger(__name__)


def check_dataset(
    where: str,
    rows: Sequence[ImageRow],
    candidates: Sequence[Candidate],
    rejected: Sequence[Rejection],
    most_rejected: float,
) -> None:
    """Raise AtlasError where the rows do not make a data set.

    Strays do not count as rejected: they were never meant to be images.
    """
    if not rows:
        raise AtlasError(
            f"No usable image in {where}{_why(rejected)}.",
            fix="Set data.root in params.yaml to a folder of images.",
        )
    _check_rejected(rows, [r for r in rejected if not r.stray], most_rejected)
    _check_classes(rows, candidates, rejected)
    if all(row.split == "train" for row in rows):
        raise AtlasError(
            f"No usable validation image in {where}{_why(rejected)}.",
            fix="Add images, or raise data.val_fraction or data.val_per_class in params.yaml.",
        )


def rejected_fraction(rows: Sequence[ImageRow], rejected: Iterable[Rejection]) -> float:
    """The share of image files thatcannot be used; strays do not count."""
    faulty = sum(not rejection.stray for rejection in rejected)
    return faulty / max(1, faulty + len(rows))


def _check_rejected(rows: Sequence[ImageRow], faulty: Sequence[Rejection], most: float) -> None:
    share = rejected_fraction(rows, faulty)
    if share > most:
        raise AtlasError(
            f"{len(faulty)} of {len(faulty) + len(rows)} image files cannot be used: {share:.1%}, "
            f"more than data.max_rejected_fraction allows ({most:.1%}){_why(faulty)}.",
            fix="Correct or remove them; with a higher limit, rejected.csv lists them all.",
        )


def _check_classes(
    rows: Sequence[ImageRow], candidates: Sequence[Candidate], rejected: Sequence[Rejection]
) -> None:
    used: set[tuple[str | None, str]] = {(row.split, row.label) for row in rows}
    used |= {(None, label) for _, label in used}
    emptied = sorted({(c.split, c.label) for c in candidates} - used, key=str)
    if emptied:
        split, label = emptied[0]
        paths = {c.path for c in candidates if (c.split, c.label) == emptied[0]}
        why = _why([r for r in rejected if r.path in paths])
        others = f" (nor have {len(emptied) - 1} others)" if len(emptied) > 1 else ""
        raise AtlasError(
            f"Class {label!r} has no usable {f'{split} ' * bool(split)}image{others}{why}.",
            fix="Put images there, or remove the class.",
        )
    learnt = {label for split, label in used if split == "train"}
    if not learnt:
        log.info("No training images: enough for a network from elsewhere.")
        return
    nameless = [row.path for row in rows if not row.label]
    if nameless and len(nameless) < len(rows):
        raise AtlasError(
            f"{len(nameless)} images have no class, e.g. {nameless[0]!r}, though others have one.",
            fix="Give each a class, or remove it.",
        )
    unknown = sorted({label for _, label in used} - learnt)
    if unknown:
        raise AtlasError(
            f"Class {unknown[0]!r} has validation images but none to train on"
            f" ({len(unknown)} such classes).",
            fix="Name the folders of train/ and val/ alike, or remove the class.",
        )
    unseen = sorted(learnt - {label for split, label in used if split == "val"})
    if unseen:
        log.warning("%d classes have no validation image, the first %r", len(unseen), unseen[0])


def _why(rejected: Sequence[Rejection]) -> str:
    """The three commonest kinds of fault, each with an example."""
    kinds = Counter(rejection.kind for rejection in rejected).most_common(3)
    examples = {rejection.kind: rejection.path for rejection in reversed(rejected)}
    return "".join(f"; {count} × {kind}, e.g. {examples[kind]!r}" for kind, count in kinds)
