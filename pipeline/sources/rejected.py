"""The files that do not become images of the data set, each with its reason."""

import csv
import os
from dataclasses import dataclass
from pathlib import Path

from pipeline.dataset.manifest import CsvDialect

PICTURE_SUFFIXES = frozenset(
    f".{suffix}"
    for suffix in (
        *("apng", "avif", "bmp", "gif", "heic", "heif", "jfif", "jp2", "jpe", "jpeg", "jpg", "jxl"),
        *("pbm", "pgm", "png", "pnm", "ppm", "psd", "svg", "tif", "tiff", "webp"),
        *("cr2", "cr3", "dng", "nef", "raw"),
    )
)
"""A file named so is meant to be a picture, whether or not it can be decoded."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """A file that is not used."""

    path: str
    """Relative to `data.root`; bytes that are not UTF-8 as `\\xNN`."""
    reason: str
    """The kind of fault; after a colon, what is special to this file."""
    stray: bool
    """Never meant to be an image (hidden, a text, a table): not counted against the limit."""

    @property
    def kind(self) -> str:
        """The fault without what is special to this file."""
        return self.reason.partition(":")[0]


def is_named_as_picture(name: str) -> bool:
    """Whether a file's name ends as pictures' names do."""
    return os.path.splitext(name)[1].lower() in PICTURE_SUFFIXES


def write_rejected(path: Path, rejected: tuple[Rejection, ...]) -> None:
    """Write rejected.csv."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, CsvDialect)
        writer.writerow(("path", "reason"))
        writer.writerows((rejection.path, rejection.reason) for rejection in rejected)
