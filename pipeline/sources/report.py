"""Counts of what prepare found, for `dvc metrics` and the atlas' first page."""

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from pipeline.dataset.manifest import ImageRow
from pipeline.sources.checks import rejected_fraction
from pipeline.sources.prepare import Prepared

Numbers = dict[str, object]


def prepare_report(prepared: Prepared, source: str, manifest_sha256: str) -> Numbers:
    """What `reports/prepare.json` holds; nothing in it depends on time or machine."""
    rows, rejected = prepared.manifest.rows, prepared.rejected
    return {
        "source": source,
        "classes": len({row.label for row in rows} - {""}),
        "images": {split: len(prepared.manifest.split(split)) for split in ("train", "val")},
        "images_by_class": _by_class(rows),
        "rejected": sum(not rejection.stray for rejection in rejected),
        "rejected_fraction": rejected_fraction(rows, rejected),
        "rejected_by_reason": _tally(r.kind for r in rejected if not r.stray),
        "stray": sum(rejection.stray for rejection in rejected),
        "stray_by_reason": _tally(r.kind for r in rejected if r.stray),
        "width": _spread([row.width for row in rows]),
        "height": _spread([row.height for row in rows]),
        "pixels": _spread([row.width * row.height for row in rows]),
        "duplicates": duplicates(rows),
        "manifest_sha256": manifest_sha256,
    }


def duplicates(rows: Sequence[ImageRow]) -> Numbers:
    """Files with equal bytes: how many repeat another, and what harm that does.

    `in_both_splits` are files whose bytes were trained on and validated on; `with_several_labels`
    are files whose bytes bear more than one class. All count every file of such a group.
    """
    groups = defaultdict(list)
    for row in rows:
        groups[row.sha256].append(row)
    several = [group for group in groups.values() if len(group) > 1]
    leaks = [group for group in several if len({row.split for row in group}) > 1]
    torn = [group for group in several if len({row.label for row in group}) > 1]
    return {
        "repeated": sum(len(group) - 1 for group in several),
        "in_both_splits": sum(map(len, leaks)),
        "with_several_labels": sum(map(len, torn)),
        "example": [row.path for row in (leaks or torn or several or [[]])[0]][:4],
    }


def _by_class(rows: Sequence[ImageRow]) -> dict[str, dict[str, int]]:
    counts = Counter((row.label, row.split) for row in rows)
    labels = sorted({row.label for row in rows}, key=str.encode)
    return {label: {split: counts[label, split] for split in ("train", "val")} for label in labels}


def _tally(kinds: Iterable[str]) -> dict[str, int]:
    """Commonest first, then by name."""
    return dict(sorted(Counter(kinds).items(), key=lambda item: (-item[1], item[0])))


def _spread(values: list[int]) -> dict[str, int]:
    return {
        "min": min(values),
        "median": int(statistics.median_low(values)),
        "max": max(values),
    }
