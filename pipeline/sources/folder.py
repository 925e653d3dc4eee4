"""Images of the user's own: folders of files, archives, shards, at a path or a URL."""

import logging
from collections.abc import Iterable
from itertools import chain

from pipeline.dataset.manifest import Split
from pipeline.errors import AtlasError
from pipeline.params import DataParams
from pipeline.progress import Advance
from pipeline.sources.classes import Classes, list_classes
from pipeline.sources.locations import open_tree
from pipeline.sources.protocol import Candidate, Located
from pipeline.sources.shards import holds_shards, locate_shards
from pipeline.sources.split import by_fraction
from pipeline.sources.splits import TEST_WORDS, TRAIN_WORDS, VAL_WORDS
from pipeline.sources.trees import Tree, inside

log = logging.getLogger(__name__)


class FolderSource:
    """Images at `data.root`, in whichever layout they are.

    `train/<class>/*` and `val/<class>/*`; `val/` alone; `<class>/*`; or images without classes.
    Tar shards and parquet files are read by `shards`.
    """

    def fetch(self, location: str, data: DataParams, seed: int, advance: Advance) -> None:
        """Nothing: the images are the user's own."""

    def locate(self, location: str, data: DataParams, seed: int, advance: Advance) -> Located:
        """Take splits as they are, or split each class by `data.val_fraction`."""
        tree = open_tree(location)
        if holds_shards(tree):
            return locate_shards(location, tree, data, seed, advance)
        if splits := split_folders(tree, "", location):
            return locate_splits(tree, splits, location, advance)
        classes = list_classes(tree, "", location, advance)
        if set(classes.files) == {""}:
            return Located([*classes.candidates("val")], classes.rejected)
        divide = by_fraction(data.val_fraction, seed)
        return Located([*classes.candidates(None)], classes.rejected, divide)


def split_folders(tree: Tree, folder: str, where: str) -> dict[Split, str]:
    """The folders of the splits by split, whatever their spelling; empty where there are none.

    Validation images alone are enough, since an adopted network trains nothing. Raises AtlasError
    for training images alone, and where several folders could be a split's.
    """
    names = [name for name, is_folder in tree.names(folder).items() if is_folder]
    train = _one(names, TRAIN_WORDS, inside(where, folder))
    val = _one(names, VAL_WORDS, inside(where, folder))
    if val is None and train is not None:
        val = _one(names, TEST_WORDS, inside(where, folder))
    found = {name: inside(folder, name) for name in (train, val) if name is not None}
    if len(found) == 1 and not any(tree.names(next(iter(found.values()))).values()):
        # One folder of that name, without folders inside: a class may be called train, too.
        lonely_val = val is not None and len(names) == 1
        return {"val": found[val]} if lonely_val and val is not None else {}
    if train is not None and val is None:
        raise AtlasError(
            f"{inside(where, folder)} has {train}/ with class folders but no val/.",
            fix=f"Add val/, or set data.root to {inside(where, found[train])} and let "
            "data.val_fraction split it.",
        )
    for name, usual in ((train, "train"), (val, "val")):
        if name not in (None, usual):
            log.warning("%s/ holds the %s images", name, usual)
    named: dict[Split, str | None] = {"train": train, "val": val}
    return {split: found[name] for split, name in named.items() if name is not None}


def _one(names: Iterable[str], wanted: frozenset[str], where: str) -> str | None:
    fitting = [name for name in names if name.lower() in wanted]
    if len(fitting) > 1:
        raise AtlasError(
            f"{where} has {' and '.join(f'{name}/' for name in fitting)}: one split or two?",
            fix="Rename or remove one of them.",
        )
    return fitting[0] if fitting else None


def locate_splits(tree: Tree, folders: dict[Split, str], where: str, advance: Advance) -> Located:
    """The images of split folders; what is beside them is left alone."""
    listed: dict[Split, Classes] = {
        split: list_classes(tree, folder, where, advance) for split, folder in folders.items()
    }
    candidates: Iterable[Candidate] = chain.from_iterable(
        classes.candidates(split) for split, classes in listed.items()
    )
    rejected = chain.from_iterable(classes.rejected for classes in listed.values())
    return Located([*candidates], [*rejected])
