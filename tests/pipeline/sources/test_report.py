"""The report's numbers, counted by hand."""

import json

from pipeline.dataset.manifest import ImageRow, sorted_manifest
from pipeline.sources.prepare import Prepared
from pipeline.sources.rejected import Rejection
from pipeline.sources.report import duplicates, prepare_report


def row(path, sha256, width=10, height=10):
    split, label, _ = path.split("/")
    return ImageRow(split, path, label, width, height, sha256)


ROWS = [
    row("train/cat/1", "a", 10, 40),
    row("train/cat/2", "b", 20, 30),
    row("train/dog/1", "c", 30, 20),
    row("val/cat/1", "d", 40, 10),
]
REJECTED = (
    Rejection("train/cat/3", "truncated: 3 bytes", False),
    Rejection("train/cat/4", "truncated: 9 bytes", False),
    Rejection("train/cat/5", "empty file", False),
    Rejection("train/cat/.x", "hidden", True),
)


def test_the_numbers_are_those_of_the_rows():
    numbers = prepare_report(Prepared(sorted_manifest(ROWS), REJECTED), "folder", "ff")
    assert numbers == {
        "source": "folder",
        "classes": 2,
        "images": {"train": 3, "val": 1},
        "images_by_class": {"cat": {"train": 2, "val": 1}, "dog": {"train": 1, "val": 0}},
        "rejected": 3,
        "rejected_fraction": 3 / 7,
        "rejected_by_reason": {"truncated": 2, "empty file": 1},
        "stray": 1,
        "stray_by_reason": {"hidden": 1},
        "width": {"min": 10, "median": 20, "max": 40},
        "height": {"min": 10, "median": 20, "max": 40},
        "pixels": {"min": 400, "median": 400, "max": 600},
        "duplicates": {"repeated": 0, "in_both_splits": 0, "with_several_labels": 0, "example": []},
        "manifest_sha256": "ff",
    }
    assert json.loads(json.dumps(numbers)) == numbers


def test_equal_bytes_are_counted_by_the_harm_they_do():
    rows = [
        *(row(f"train/cat/{number}", "thrice") for number in range(3)),
        row("train/dog/1", "leak"),
        row("val/dog/2", "leak"),
        row("train/dog/3", "torn"),
        row("train/cat/9", "torn"),
        row("val/cat/1", "alone"),
    ]
    assert duplicates(rows) == {
        "repeated": 4,
        "in_both_splits": 2,
        "with_several_labels": 2,
        "example": ["train/dog/1", "val/dog/2"],
    }
