"""Caltech-101 by the paper's protocol: some images of a class to train, some others to validate."""

import logging
from pathlib import Path

from pipeline.params import DataParams
from pipeline.progress import Advance
from pipeline.sources.classes import Classes, list_classes
from pipeline.sources.download import download
from pipeline.sources.protocol import Located
from pipeline.sources.split import by_fraction, by_number
from pipeline.sources.trees import FolderTree

log = logging.getLogger(__name__)

CLASSES = 101
CATEGORIES = "101_ObjectCategories"
DOWNLOADED = f"caltech101/{CATEGORIES}"
BACKGROUND = "BACKGROUND_Google"
"""Clutter without a class: dropped."""


class Caltech101Source:
    """The layout of torchvision.datasets.Caltech101 below `data.root`, or that folder itself."""

    def fetch(self, location: str, data: DataParams, seed: int, advance: Advance) -> None:
        """Download it where its folder is missing."""
        if categories_folder(Path(location)) is None:
            download("Caltech-101", Path(location), DOWNLOADED, _fetch)

    def locate(self, location: str, data: DataParams, seed: int, advance: Advance) -> Located:
        """Draw `data.train_per_class` images of each class, and of the rest `data.val_per_class`.

        Where both are null, `data.val_fraction` splits.
        """
        folder = categories_folder(Path(location)) or DOWNLOADED
        tree = FolderTree(Path(location))
        classes = without_background(list_classes(tree, folder, location, advance))
        if len(classes.files) != CLASSES:
            log.warning("%s holds %d classes, not %d", location, len(classes.files), CLASSES)
        if data.train_per_class is None and data.val_per_class is None:
            divide = by_fraction(data.val_fraction, seed, folder)
        else:
            divide = by_number(data.train_per_class, data.val_per_class, seed, folder)
        return Located([*classes.candidates(None)], classes.rejected, divide)


def categories_folder(root: Path) -> str | None:
    """The folder of the class folders, relative to the root; None where it is missing."""
    folders = (DOWNLOADED, CATEGORIES)
    return next((folder for folder in folders if (root / folder).is_dir()), None)


def _fetch(scratch: str) -> None:
    from torchvision.datasets import Caltech101

    Caltech101(scratch, download=True)


def without_background(classes: Classes) -> Classes:
    """The classes without the background's, of which nothing is used."""
    files = {label: paths for label, paths in classes.files.items() if label != BACKGROUND}
    dropped = f"{classes.folder}/{BACKGROUND}/"
    rejected = [r for r in classes.rejected if not r.path.startswith(dropped)]
    return Classes(classes.folder, files, rejected)
