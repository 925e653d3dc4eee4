"""Places of the same part in several images: a CSV of (path, part, row, col), and its place in
network inputs."""

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path

from pipeline.atlas import Run
from pipeline.dataset.manifest import ImageRow
from pipeline.errors import AtlasError

BESIDE = "parts.csv"
COLUMNS = ("path", "part", "row", "col")


@dataclass(frozen=True)
class Part:
    """A part of what an image shows."""

    path: str
    """Of the image, as the manifest has it."""
    part: str
    row: float
    """Of its middle, in pixels of the upright image from its top edge."""
    col: float


def parts_file(run: Run) -> Path:
    """Where the parts of a run's images are listed, if they are."""
    given = run.params.figures.correspondence.parts
    if given is not None:
        return run.workspace.resolve(given)
    return Path(run.workspace.images(run.params.data.root)) / BESIDE


def read_parts(path: Path) -> tuple[Part, ...] | None:
    """The parts listed in a file; None where there is no file.

    Raises AtlasError naming the first line that is wrong.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return tuple(_parts(path, file))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise AtlasError(f"{path} cannot be read: {error}.", fix="Correct the file.") from None


def _parts(path: Path, file: TextIOWrapper) -> Iterator[Part]:
    lines = csv.DictReader(file, strict=True)
    if missing := [name for name in COLUMNS if name not in (lines.fieldnames or ())]:
        raise AtlasError(
            f"{path} has no column {missing[0]!r}.", fix=f"Begin it with {','.join(COLUMNS)}."
        )
    for line in lines:
        try:
            row, col = float(line["row"]), float(line["col"])
        except (TypeError, ValueError):
            row = col = math.nan
        if not (math.isfinite(row) and math.isfinite(col) and line["path"] and line["part"]):
            raise AtlasError(
                f"{path}, line {lines.line_num}: {','.join(map(str, line.values()))!r} is not "
                "a path, part, row and column.",
                fix="Correct the line.",
            )
        yield Part(line["path"], line["part"], row, col)


def in_input(part: Part, image: ImageRow, resize: int, crop: int) -> tuple[float, float] | None:
    """The (row, col) of a part in the network input that `dataset.images.centre_square` cuts out.

    None where it is cut off.
    """
    short = min(image.width, image.height)
    width, height = int(resize * image.width / short), int(resize * image.height / short)
    row = part.row * height / image.height - round((height - crop) / 2)
    col = part.col * width / image.width - round((width - crop) / 2)
    return (row, col) if 0 <= row < crop and 0 <= col < crop else None
