"""Any folder of images: `train/<class>/*` and `val/<class>/*`, or `<class>/*`.

For a network that is not trained `val/` alone will do, and images in no class folder.
"""

from collections.abc import Sequence
from pathlib import Path

from pipeline.errors import AtlasError
from pipeline.params import DataParams
from pipeline.progress import Advance
from pipeline.sources.listing import Listing, entries_of, is_flat, list_classes, list_flat
from pipeline.sources.protocol import Candidate
from pipeline.sources.rejected import Rejection
from pipeline.sources.split import by_fraction


class FolderSource:
    """Images of the user's own. Folders inside a class folder belong to its class."""

    def locate(
        self, root: Path, data: DataParams, seed: int, advance: Advance
    ) -> Sequence[Candidate | Rejection]:
        """Take train/ and val/ as they are, or split each class by `data.val_fraction`."""
        if is_split(root):
            return list_splits(root, "", advance)
        listing = list_folder(root, "", advance)
        return [*by_fraction(listing, data.val_fraction, seed), *listing.rejected]


def is_split(root: Path) -> bool:
    """Whether a folder has val/, beside train/ or alone.

    Raises AtlasError where it has train/ alone, with class folders inside.
    """
    there = [name for name in ("train", "val") if (root / name).is_dir()]
    if there == ["train"] and any(entry.is_dir() for entry in entries_of(root / "train")):
        raise AtlasError(
            f"{root} has train/ with class folders but no val/.",
            fix=f"Add val/, or set data.root to {root / 'train'} and let data.val_fraction split "
            "it.",
        )
    if there == ["val"]:
        return is_flat(root / "val") or any(entry.is_dir() for entry in entries_of(root / "val"))
    return len(there) == 2


def list_splits(root: Path, folder: str, advance: Advance) -> list[Candidate | Rejection]:
    """List train/, where there is one, and val/ of `root/folder`, and nothing else."""
    inside = f"{folder}/" if folder else ""
    if not (root / f"{inside}train").is_dir():
        only = list_folder(root, f"{inside}val", advance)
        return [*only.candidates("val"), *only.rejected]
    train = list_classes(root, f"{inside}train", advance)
    val = list_classes(root, f"{inside}val", advance)
    return [*train.candidates("train"), *val.candidates("val"), *train.rejected, *val.rejected]


def list_folder(root: Path, folder: str, advance: Advance) -> Listing:
    """List class folders, or the images of a folder that has none."""
    listed = list_flat if is_flat(root / folder) else list_classes
    return listed(root, folder, advance)
