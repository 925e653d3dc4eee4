"""Imagenette: ten easy classes of ImageNet, as torchvision.datasets.Imagenette unpacks it."""

from collections.abc import Sequence
from pathlib import Path

from pipeline.params import DataParams
from pipeline.progress import Advance
from pipeline.sources.download import download
from pipeline.sources.folder import is_split, list_splits
from pipeline.sources.naming import renamed
from pipeline.sources.protocol import Candidate
from pipeline.sources.rejected import Rejection

FOLDERS = ("imagenette2", "imagenette2-320", "imagenette2-160")
"""What torchvision unpacks for its sizes `full`, `320px` and `160px`; the first there is used."""
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

    def locate(
        self, root: Path, data: DataParams, seed: int, advance: Advance
    ) -> Sequence[Candidate | Rejection]:
        """Take train/ and val/ as they come."""
        return renamed(list_splits(root, splits_folder(root), advance), NAMES)


def splits_folder(root: Path) -> str:
    """What holds train/ and val/, relative to the root; downloaded where it is missing."""
    for folder in ("", *FOLDERS):
        if is_split(root / folder):
            return folder
    download("Imagenette", root, DOWNLOADED, _fetch)
    return DOWNLOADED


def _fetch(scratch: str) -> None:
    from torchvision.datasets import Imagenette

    Imagenette(scratch, size="320px", download=True)
