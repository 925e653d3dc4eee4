"""Caltech-101 by the paper's protocol: some images of a class to train, some others to validate."""

import logging
from collections.abc import Sequence
from pathlib import Path

from pipeline.params import DataParams
from pipeline.progress import Advance
from pipeline.sources.download import download
from pipeline.sources.listing import Listing, list_classes
from pipeline.sources.protocol import Candidate
from pipeline.sources.rejected import Rejection
from pipeline.sources.split import by_fraction, by_number

log = logging.getLogger(__name__)

CLASSES = 101
CATEGORIES = "101_ObjectCategories"
BACKGROUND = "BACKGROUND_Google"
"""Clutter without a class: dropped."""


class Caltech101Source:
    """The layout of torchvision.datasets.Caltech101 below `data.root`, or that folder itself."""

    def locate(
        self, root: Path, data: DataParams, seed: int, advance: Advance
    ) -> Sequence[Candidate | Rejection]:
        """Draw `data.train_per_class` images of each class, and of the rest `data.val_per_class`.

        Where both are null, `data.val_fraction` splits.
        """
        listing = without_background(list_classes(root, categories_folder(root), advance))
        if len(listing.files) != CLASSES:
            log.warning("%s holds %d classes, not %d", root, len(listing.files), CLASSES)
        if data.train_per_class is None and data.val_per_class is None:
            drawn = by_fraction(listing, data.val_fraction, seed)
        else:
            drawn = by_number(listing, data.train_per_class, data.val_per_class, seed)
        return [*drawn, *listing.rejected]


def categories_folder(root: Path) -> str:
    """Where the class folders stand, relative to the root; downloaded where they are missing."""
    for folder in (f"caltech101/{CATEGORIES}", CATEGORIES):
        if (root / folder).is_dir():
            return folder
    download("Caltech-101", root, f"caltech101/{CATEGORIES}", _fetch)
    return f"caltech101/{CATEGORIES}"


def _fetch(scratch: str) -> None:
    from torchvision.datasets import Caltech101

    Caltech101(scratch, download=True)


def without_background(listing: Listing) -> Listing:
    """A listing without the background class, of which nothing is used."""
    files = {label: paths for label, paths in listing.files.items() if label != BACKGROUND}
    dropped = f"{listing.folder}/{BACKGROUND}/"
    rejected = [r for r in listing.rejected if not r.path.startswith(dropped)]
    return Listing(listing.folder, files, rejected)
