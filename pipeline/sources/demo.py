"""The demo source: a data set that draws itself."""

import csv
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from demo.gallery import SPLITS, Mark, Shot, all_marks, has_marks, take_all
from demo.scene import CLASSES
from pipeline.errors import AtlasError
from pipeline.params import DataParams
from pipeline.progress import Advance
from pipeline.sources.protocol import Candidate, Located
from pipeline.sources.trees import stamp_of

DRAWING_VERSION = 1
"""Raise it when the same seed draws other pictures; folders of an older one are drawn again."""

_MARKER = "drawn.json"
PARTS = "parts.csv"
"""The file of the places of parts in the validation pictures."""
_HEAD = "path,part,row,col\n"


@dataclass(frozen=True)
class Collection:
    """The content of a folder of drawn pictures, or its content when it is finished."""

    drawing_version: int
    seed: int
    classes: tuple[str, ...]
    train_per_class: int
    val_per_class: int

    def shots(self) -> list[Shot]:
        """List all pictures."""
        counts = (self.train_per_class, self.val_per_class)
        return [
            Shot(split, label, number)
            for split, count in zip(SPLITS, counts, strict=True)
            for label in self.classes
            for number in range(count)
        ]

    def continues(self, other: "Collection") -> bool:
        """Say whether pictures of the same place are the same in both, whatever their counts."""
        mine = (self.drawing_version, self.seed, self.classes)
        return mine == (other.drawing_version, other.seed, other.classes)


class DemoSource:
    """Draws photographs' stand-ins of sixteen classes into train/ and val/ below the root."""

    def fetch(self, location: str, data: DataParams, seed: int, advance: Advance) -> None:
        """Draw the pictures that are missing; `advance` counts them.

        Only files that an earlier run drew are ever replaced or removed. Raises AtlasError for a
        root that holds anything else, or that cannot be written to.
        """
        root, collection = Path(location), _wanted(data, seed)
        try:
            _claim(root, collection)
            missing = [shot for shot in collection.shots() if not (root / shot.path).exists()]
            known = _known_parts(root)
            if any(map(has_marks, missing)):
                (root / PARTS).unlink(missing_ok=True)  # a kill must not leave a list with gaps
            drawn = take_all(root, seed, missing, advance)
            _list_parts(root, collection, known, missing, drawn)
        except OSError as error:
            raise AtlasError(
                f"The demo images cannot be written to {root}: {error.strerror or error}.",
                fix="Make room there or point data.root in params.yaml to another folder.",
            ) from error

    def locate(self, location: str, data: DataParams, seed: int, advance: Advance) -> Located:
        """List the pictures."""
        shots = _wanted(data, seed).shots()
        return Located([_candidate(Path(location), shot) for shot in shots])


def _known_parts(root: Path) -> list[Mark] | None:
    """The parts that are listed; None where no whole list is there."""
    try:
        with (root / PARTS).open(encoding="utf-8", newline="") as file:
            lines = list(csv.DictReader(file))
        return [Mark(x["path"], x["part"], float(x["row"]), float(x["col"])) for x in lines]
    except (OSError, ValueError, TypeError, KeyError, csv.Error):
        return None


def _list_parts(
    root: Path,
    collection: Collection,
    known: list[Mark] | None,
    missing: list[Shot],
    drawn: list[Mark],
) -> None:
    """Write where the parts of the validation pictures are: those known, and those just drawn.

    Pictures that an earlier version or a killed run has hung are drawn once more for it.
    """
    shots = collection.shots()
    if known is None:
        new = set(missing)
        known = all_marks(collection.seed, [shot for shot in shots if shot not in new])
    left = {shot.path for shot in shots} - {shot.path for shot in missing}
    wanted = {shot.path for shot in shots}
    marks = sorted(
        (
            *(mark for mark in known if mark.path in left),
            *(mark for mark in drawn if mark.path in wanted),
        ),
        key=lambda mark: (mark.path, mark.part),
    )
    text = "".join(f"{m.path},{m.part},{m.row:.1f},{m.col:.1f}\n" for m in marks)
    path = root / PARTS
    if path.exists() and path.read_text(encoding="utf-8") == _HEAD + text:
        return
    partial = root / f".{PARTS}.partial"
    partial.write_text(_HEAD + text, encoding="utf-8")
    os.replace(partial, path)


def _candidate(root: Path, shot: Shot) -> Candidate:
    try:
        stamp = stamp_of((root / shot.path).stat())
    except OSError:
        stamp = ""
    return Candidate(shot.split, shot.path, shot.label, stamp=stamp)


def _wanted(data: DataParams, seed: int) -> Collection:
    if data.train_per_class is None or data.val_per_class is None:
        raise AtlasError(
            "data.train_per_class and data.val_per_class are null, but the demo must know how "
            "many images to draw.",
            fix="Give both a number in params.yaml, say 120 and 50.",
        )
    return Collection(DRAWING_VERSION, seed, CLASSES, data.train_per_class, data.val_per_class)


def _claim(root: Path, wanted: Collection) -> None:
    """Make the root's marker say `wanted`, removing drawn pictures that do not belong to it."""
    marker = root / _MARKER
    if marker.exists():
        held = _read(marker)
        if held == wanted:
            return
        keep = set(wanted.shots()) if held.continues(wanted) else set()
        for shot in held.shots():
            if shot not in keep:
                (root / shot.path).unlink(missing_ok=True)
        if not keep:
            (root / PARTS).unlink(missing_ok=True)
    elif root.exists() and not (root.is_dir() and not any(root.iterdir())):
        raise AtlasError(
            f"data.root {root} holds files that the demo did not draw.",
            fix="Point data.root in params.yaml to a new folder, or set data.source to folder to "
            "use these files.",
        )
    root.mkdir(parents=True, exist_ok=True)
    partial = root / f".{_MARKER}.partial"
    partial.write_text(json.dumps(asdict(wanted), indent=2) + "\n", encoding="utf-8")
    os.replace(partial, marker)


def _read(marker: Path) -> Collection:
    """Read a marker, trusting nothing in it that could lead out of the folder."""
    try:
        held = json.loads(marker.read_text(encoding="utf-8"))
        held["classes"] = tuple(held["classes"])
        collection = Collection(**held)
        if not all(label.isalpha() for label in collection.classes):
            raise ValueError("class names")
        collection.shots()
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise AtlasError(
            f"{marker} is damaged, so the demo cannot tell which files it drew.",
            fix=f"Remove {marker.parent} or point data.root in params.yaml to a new folder.",
        ) from error
    return collection
