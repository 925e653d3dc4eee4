"""The manifest: every usable image, once, in an order that never depends on the machine."""

import csv
from collections import defaultdict
from dataclasses import astuple, dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Literal

from pipeline.errors import AtlasError

Split = Literal["train", "val"]


@dataclass(frozen=True)
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


@dataclass(frozen=True)
class Manifest:
    """The usable images, sorted bytewise by (split, path).

    An *image row* is a position among the rows of its split, from 0.
    """

    rows: tuple[ImageRow, ...]

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
        """Class names of the training images, sorted bytewise: the order of fc8."""
        return tuple(sorted({row.label for row in self.split("train")}, key=str.encode))


def sorted_manifest(rows: list[ImageRow]) -> Manifest:
    """A manifest of rows in any order."""
    return Manifest(tuple(sorted(rows, key=lambda r: (r.split.encode(), r.path.encode()))))


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Write manifest.csv."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(field.name for field in fields(ImageRow))
        writer.writerows(astuple(row) for row in manifest.rows)


def read_manifest(path: Path) -> Manifest:
    """Read manifest.csv. Raises AtlasError where it is missing or not a manifest."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return Manifest(tuple(_parse(line) for line in csv.DictReader(file)))
    except FileNotFoundError:
        raise AtlasError(f"There is no {path}.", fix="Run `dvc repro prepare`.") from None
    except (KeyError, TypeError, ValueError) as error:
        raise AtlasError(
            f"{path} is no manifest ({error!r}).", fix="Run `dvc repro -f -s prepare`."
        ) from None


def _parse(line: dict[str, str]) -> ImageRow:
    split = line["split"]
    if split not in ("train", "val"):
        raise ValueError(f"split {split!r}")
    return ImageRow(
        split=split,  # type: ignore[arg-type]
        path=line["path"],
        label=line["label"],
        width=int(line["width"]),
        height=int(line["height"]),
        sha256=line["sha256"],
    )
