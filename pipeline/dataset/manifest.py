"""The manifest: every usable image, once, in an order that never depends on the machine."""

import csv
import hashlib
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from functools import cached_property
from io import BytesIO, TextIOWrapper
from operator import attrgetter
from pathlib import Path
from typing import Any, Literal, cast, get_args

import numpy as np
from jaxtyping import Int64

from pipeline.dataset.members import key_of
from pipeline.errors import AtlasError

Split = Literal["train", "val"]


class CsvDialect(csv.excel):
    """The form of this package's tables: text in quotes, since a name may hold `\\r`.

    Unquoted, a reader would take that for the end of the line.
    """

    lineterminator = "\n"
    quoting = csv.QUOTE_NONNUMERIC


@dataclass(frozen=True, slots=True)
class ImageRow:
    """One line of manifest.csv."""

    split: Split
    path: str
    """Relative to `data.root`, with `/` between folders."""
    label: str
    """Class name."""
    width: int
    """Pixels, after EXIF orientation."""
    height: int
    """Pixels, after EXIF orientation."""
    sha256: str
    """Of the file's bytes."""

    position: str = ""
    """Where the image is inside a tar, zip or parquet file; empty for a file of its own."""

    @property
    def key(self) -> str:
        """What the image store reads it by."""
        return key_of(self.path, self.position)


REQUIRED = tuple(column.name for column in fields(ImageRow) if column.default is MISSING)
"""Columns that every manifest has, first and in this order."""
OPTIONAL = {f.name: f.default for f in fields(ImageRow) if f.default is not MISSING}
"""Columns that are written where some row needs them, and the values of rows that do not."""


@dataclass(frozen=True)
class Manifest:
    """The usable images, sorted bytewise by (split, path).

    An *image row* is a position among the rows of its split, from 0.
    """

    rows: tuple[ImageRow, ...]
    sha256: str = field(default="", compare=False)
    """Of the file that it was read from; empty where it was made otherwise."""

    @cached_property
    def _splits(self) -> dict[str, tuple[ImageRow, ...]]:
        splits = defaultdict(list)
        for row in self.rows:
            splits[row.split].append(row)
        return {split: tuple(rows) for split, rows in splits.items()}

    def split(self, name: Split) -> tuple[ImageRow, ...]:
        """The rows of a split; a row's position is its image row."""
        return self._splits.get(name, ())

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Class names of the training images, sorted bytewise: the order of fc8.

        Without training images, those of the validation images; images without a class have none.
        """
        rows = self.split("train") or self.split("val")
        return tuple(sorted({row.label for row in rows} - {""}, key=str.encode))


def sorted_manifest(rows: Sequence[ImageRow]) -> Manifest:
    """A manifest of rows in any order."""
    return Manifest(tuple(sorted(rows, key=_place)))


def _place(row: ImageRow) -> tuple[bytes, bytes]:
    return row.split.encode(), row.path.encode()


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Write manifest.csv: equal manifests give equal bytes."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, CsvDialect)
        used = [
            name
            for name, default in OPTIONAL.items()
            if any(getattr(row, name) != default for row in manifest.rows)
        ]
        columns = (*REQUIRED, *used)
        writer.writerow(columns)
        writer.writerows(map(attrgetter(*columns), manifest.rows))


def read_manifest(path: Path) -> Manifest:
    """Read manifest.csv. Raises AtlasError where it is missing or not a manifest."""
    try:
        content = path.read_bytes()
        with TextIOWrapper(BytesIO(content), encoding="utf-8", newline="") as lines:
            rows = tuple(_rows(csv.reader(lines, strict=True)))
    except FileNotFoundError:
        raise AtlasError(f"There is no {path}.", fix="Run `dvc repro prepare`.") from None
    except (csv.Error, ValueError) as error:
        raise AtlasError(
            f"{path} is not a manifest: {error}.", fix="Run `dvc repro -f -s prepare`."
        ) from None
    return Manifest(rows, hashlib.sha256(content).hexdigest())


def _rows(lines: Iterator[list[str]]) -> Iterator[ImageRow]:
    """Rows of a table, each checked; image rows are positions, so their order is checked too."""
    header = tuple(next(lines, ()))
    if header[: len(REQUIRED)] != REQUIRED:
        raise ValueError(f"its columns are {', '.join(header) or 'missing'}")
    optional = {name: header.index(name) for name in OPTIONAL if name in header}
    last = (b"", b"")
    for number, cells in enumerate(lines, start=1):
        if len(cells) != len(header):
            raise ValueError(f"row {number} has {len(cells)} cells, not {len(header)}")
        required = (_READ[name](cell) for name, cell in zip(REQUIRED, cells, strict=False))
        row = ImageRow(*required, **{n: _READ[n](cells[place]) for n, place in optional.items()})
        if _place(row) <= last:
            raise ValueError(f"row {number} ({row.path}) is out of order or there twice")
        last = _place(row)
        yield row


def _split(text: str) -> Split:
    if text not in get_args(Split):
        raise ValueError(f"split {text!r} is neither train nor val")
    return cast(Split, text)


_READ: Mapping[str, Callable[[str], Any]] = {
    **{column.name: int if column.type is int else str for column in fields(ImageRow)},
    "split": _split,
    "label": sys.intern,  # one string for the thousands of images of a class
}
"""The value of a cell, by column. Raises ValueError for a text that is none."""


def class_indices(
    rows: Sequence[ImageRow], classes: Sequence[str], *, all_known: bool = True
) -> Int64[np.ndarray, " image"]:
    """The class of each row as a position among the classes; −1 for one that is not among them.

    Raises AtlasError for such a class, and for an image without one, where `all_known` is set.
    """
    position = {label: index for index, label in enumerate(classes)}
    if not all_known:
        return np.array([position.get(row.label, -1) for row in rows], np.int64)
    if nameless := [row.path for row in rows if not row.label]:
        raise AtlasError(
            f"{len(nameless)} images have no class, e.g. {nameless[0]!r}.",
            fix="Put the images of each class into a folder that bears its name.",
        )
    if unknown := sorted({row.label for row in rows} - set(position)):
        raise AtlasError(
            f"The manifest lists images of {', '.join(unknown[:5])}, "
            "but the network has no such class.",
            fix="Add training images of every class, then run `dvc repro`.",
        )
    return np.array([position[row.label] for row in rows], np.int64)
