"""ImageNet, ILSVRC 2012: `train/<wnid>/` and `val/<wnid>/`, never downloaded."""

import csv
import json
import logging
import pickle
import re
import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from pipeline.errors import AtlasError
from pipeline.params import DataParams
from pipeline.progress import Advance
from pipeline.sources.folder import locate_splits, split_folders
from pipeline.sources.matlab import synsets
from pipeline.sources.naming import renamed
from pipeline.sources.protocol import Candidate, Located
from pipeline.sources.rejected import Rejection, is_named_as_picture
from pipeline.sources.trees import FolderTree, Listing

log = logging.getLogger(__name__)

DEVKIT = "ILSVRC2012_devkit_t12"
Found = TypeVar("Found")
_VAL_FILE = re.compile(r"ILSVRC2012_val_(\d{8})\.\w+$")
_LINE = re.compile(r"(n\d{8})[\s,:]+([^,\t]*[^,\s])")
_UNREADABLE = (
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    pickle.UnpicklingError,
    struct.error,
    zlib.error,
)


class ImagenetSource:
    """The usual folders, with class names where a names file is beside them.

    `val/` may hold the official 50,000 flat files, where a file beside it has their classes.
    """

    def fetch(self, location: str, data: DataParams, seed: int, advance: Advance) -> None:
        """Nothing: it may not be downloaded."""

    def locate(self, location: str, data: DataParams, seed: int, advance: Advance) -> Located:
        """Take train/ and val/, or val/ alone. Raises AtlasError where they are not there."""
        root, tree = Path(location), FolderTree(Path(location))
        folders = split_folders(tree, "", location)
        if not folders and tree.names("").get("val"):
            folders = {"val": "val"}
        if "val" not in folders:
            raise AtlasError(
                f"{location} has no train/ and val/.",
                fix="ImageNet cannot be downloaded: unpack ILSVRC2012 there, or set data.root to "
                "where it is; val/ alone is enough where nothing is trained.",
            )
        flat = {"val": folders["val"]} if not any(tree.names(folders["val"]).values()) else {}
        found = locate_splits(
            tree, {s: f for s, f in folders.items() if s not in flat}, location, advance
        )
        if flat:
            found = with_flat(
                found, tree.files(folders["val"], advance), val_classes(root), location
            )
        return renamed(found, class_names(root))


def with_flat(found: Located, flat: Listing, wnids: Sequence[str], where: str) -> Located:
    """The images of class folders, and the official flat validation files with their classes.

    Raises AtlasError where there are no classes, or a file's number has none.
    """
    if not wnids:
        raise AtlasError(
            f"The validation images of {where} are flat files, and no file there has their "
            "classes.",
            fix=f"Put one of {', '.join(_VAL_READERS)} there, or the folder of the devkit.",
        )
    images, rejected = [], [*found.rejected, *flat.rejected]
    for file in flat.files:
        number = _VAL_FILE.search(file.path)
        if not number or not 1 <= int(number[1]) <= len(wnids):
            stray = not is_named_as_picture(file.path)
            rejected.append(Rejection(file.path, "no official validation image", stray))
            continue
        wnid = wnids[int(number[1]) - 1]
        images.append(Candidate("val", file.path, wnid, file.position, file.stamp))
    return replace(found, candidates=[*found.candidates, *images], rejected=rejected)


def val_classes(root: Path) -> Sequence[str]:
    """The WordNet ids of the official validation images in their order; empty where not said."""
    for file, read in _VAL_READERS.items():
        for path in (root / file, root / DEVKIT / "data" / file):
            if path.is_file():
                return _read(path, read, "validation classes")
    return ()


def _read(path: Path, read: Callable[[Path], Found], what: str) -> Found:
    try:
        return read(path)
    except _UNREADABLE as error:
        raise AtlasError(
            f"{path} cannot be read as {what}: {' '.join(str(error).split())}.",
            fix="Correct or remove it.",
        ) from error


def class_names(root: Path) -> dict[str, str]:
    """The first name of each WordNet id, of the first names file in the root.

    Empty where there is none. Raises AtlasError for a file that holds no names.
    """
    for file, read in _READERS.items():
        path = root / file
        if not path.is_file():
            continue
        if names := _read(path, read, "class names"):
            return names
    log.warning("no names file in %s: classes keep their WordNet ids", root)
    return {}


def _from_devkit(path: Path) -> dict[str, str]:
    """torchvision's meta.bin: the names of each id, and the order of the validation images."""
    import torch

    names, _ = torch.load(path, weights_only=True)
    return {wnid: several[0] for wnid, several in names.items()}


def _from_json(path: Path) -> dict[str, str]:
    """Keras' index: `{"0": ["n01440764", "tench"], …}`."""
    index = json.loads(path.read_text(encoding="utf-8"))
    return {wnid: name.replace("_", " ") for wnid, name in index.values()}


def _from_lines(path: Path) -> dict[str, str]:
    """Lines such as `n01440764 tench, Tinca tinca`; others are passed over."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return {found[1]: found[2] for found in map(_LINE.match, lines) if found}


_READERS: dict[str, Callable[[Path], dict[str, str]]] = {
    "meta.bin": _from_devkit,
    "LOC_synset_mapping.txt": _from_lines,
    "synset_words.txt": _from_lines,
    "words.txt": _from_lines,
    "classes.txt": _from_lines,
    "imagenet_class_index.json": _from_json,
}


def _val_from_devkit(path: Path) -> Sequence[str]:
    """The second part of torchvision's meta.bin."""
    import torch

    _, wnids = torch.load(path, weights_only=True)
    return [str(wnid) for wnid in wnids]


def _val_from_solution(path: Path) -> Sequence[str]:
    """Kaggle's table: `ILSVRC2012_val_00000001,n01751748 111 108 …`, in any order."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = {row[0]: row[1].split()[0] for row in list(csv.reader(file))[1:] if row}
    return [rows[name] for name in sorted(rows)]


def _val_from_ground_truth(path: Path) -> Sequence[str]:
    """The devkit's class numbers, one a line, by the numbers in the meta.mat beside it."""
    wnids = synsets(path.with_name("meta.mat").read_bytes())
    return [wnids[int(line)] for line in path.read_text(encoding="ascii").split()]


def _val_from_wnids(path: Path) -> Sequence[str]:
    """A WordNet id a line, in the order of the images."""
    return path.read_text(encoding="ascii").split()


_VAL_READERS: dict[str, Callable[[Path], Sequence[str]]] = {
    "meta.bin": _val_from_devkit,
    "LOC_val_solution.csv": _val_from_solution,
    "ILSVRC2012_validation_ground_truth.txt": _val_from_ground_truth,
    "imagenet_2012_validation_synset_labels.txt": _val_from_wnids,
}
