"""Any folder of images: `train/<class>/*` and `val/<class>/*`, or `<class>/*`."""

from collections.abc import Sequence
from pathlib import Path

from pipeline.errors import AtlasError
from pipeline.params import DataParams
from pipeline.progress import Advance
from pipeline.sources.listing import entries_of, list_classes
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
        listing = list_classes(root, "", advance)
        return [*by_fraction(listing, data.val_fraction, seed), *listing.rejected]


def is_split(root: Path) -> bool:
    """Whether a folder has train/ and val/.

    Raises AtlasError where it has one of them, with class folders inside, and lacks the other.
    """
    there = [name for name in ("train", "val") if (root / name).is_dir()]
    if len(there) == 1 and any(entry.is_dir() for entry in entries_of(root / there[0])):
        lacking = "val" if there == ["train"] else "train"
        raise AtlasError(
            f"{root} has {there[0]}/ with class folders but no {lacking}/.",
            fix=f"Add {lacking}/, or set data.root to {root / there[0]} and let "
            "data.val_fraction split it.",
        )
    return len(there) == 2


def list_splits(root: Path, folder: str, advance: Advance) -> list[Candidate | Rejection]:
    """List train/ and val/ of `root/folder`; what lies beside them is left alone."""
    inside = f"{folder}/" if folder else ""
    train = list_classes(root, f"{inside}train", advance)
    val = list_classes(root, f"{inside}val", advance)
    return [*train.candidates("train"), *val.candidates("val"), *train.rejected, *val.rejected]
