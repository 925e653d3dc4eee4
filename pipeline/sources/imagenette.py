"""Imagenette: ten easy classes of ImageNet, as torchvision.datasets.Imagenette unpacks it."""

from pathlib import Path

from pipeline.params import DataParams
from pipeline.progress import Advance
from pipeline.sources.download import download
from pipeline.sources.folder import locate_splits, split_folders
from pipeline.sources.naming import renamed
from pipeline.sources.protocol import Located
from pipeline.sources.trees import FolderTree

FOLDERS = ("imagenette2", "imagenette2-320", "imagenette2-160")
"""Folders of torchvision's sizes `full`, `320px` and `160px`; the first there is used."""
DOWNLOADED = "imagenette2-320"
"""320 pixels on the shortest side suffice for every preset, in a quarter of the bytes."""

NAMES = {
    "n01440764": "tench",
    "n02102040": "English springer",
    "n02979186": "cassette player",
    "n03000684": "chain saw",
    "n03028079": "church",
    "n03394916": "French horn",
    "n03417042": "garbage truck",
    "n03425413": "gas pump",
    "n03445777": "golf ball",
    "n03888257": "parachute",
}


class ImagenetteSource:
    """One of torchvision's folders below `data.root`, or that folder itself."""

    def fetch(self, location: str, data: DataParams, seed: int, advance: Advance) -> None:
        """Download it where its folder is missing."""
        if splits_folder(Path(location)) is None:
            download("Imagenette", Path(location), DOWNLOADED, _fetch)

    def locate(self, location: str, data: DataParams, seed: int, advance: Advance) -> Located:
        """Take train/ and val/ as they come."""
        folder = splits_folder(Path(location))
        tree = FolderTree(Path(location))
        folders = split_folders(tree, DOWNLOADED if folder is None else folder, location)
        return renamed(locate_splits(tree, folders, location, advance), NAMES)


def splits_folder(root: Path) -> str | None:
    """The folder that holds train/ and val/, relative to the root; None where it is missing."""
    for folder in ("", *FOLDERS):
        if all((root / folder / split).is_dir() for split in ("train", "val")):
            return folder
    return None


def _fetch(scratch: str) -> None:
    from torchvision.datasets import Imagenette

    Imagenette(scratch, size="320px", download=True)
