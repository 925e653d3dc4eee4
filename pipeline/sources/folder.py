"""Images of the user's own: folders of files, archives, shards, at a path or a URL."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from pipeline.dataset.manifest import Split
from pipeline.dataset.members import is_archive
from pipeline.errors import AtlasError
from pipeline.params import DataParams
from pipeline.progress import Advance
from pipeline.sources.classes import Classes, list_classes
from pipeline.sources.locations import open_tree
from pipeline.sources.protocol import Candidate, Located
from pipeline.sources.rejected import is_named_as_picture
from pipeline.sources.shards import holds_shards, locate_shards
from pipeline.sources.split import by_fraction
from pipeline.sources.splits import TEST_WORDS, TRAIN_WORDS, VAL_WORDS, split_of, words_of
from pipeline.sources.trees import Tree, inside, is_hidden

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
        folder = _packed_in(tree, is_archive(location))
        if folder:
            log.warning("%s/ holds the images", folder)
        if splits := split_folders(tree, folder, location):
            return locate_splits(tree, splits, location, advance)
        classes = list_classes(tree, folder, location, advance)
        if set(classes.files) == {""}:
            return Located([*classes.candidates("val")], classes.rejected)
        divide = by_fraction(data.val_fraction, seed, folder)
        return Located([*classes.candidates(None)], classes.rejected, divide)


def _packed_in(tree: Tree, archive: bool) -> str:
    """The folder in which all the rest was packed, as archives of a folder are; '' for none.

    A folder that is alone is one if it holds split folders, or in an archive several folders.
    """
    folder = ""
    while len(inner := _folders(tree, folder)) == 1 and split_of(inner[0]) is None:
        folder = inside(folder, inner[0])
    splits = {split_of(name) for name in inner}
    packed = {"train", "val"} <= splits or (archive and len(inner) > 1)
    return folder if packed else ""


def _folders(tree: Tree, folder: str) -> list[str]:
    """The folders in a folder that has no pictures; none where it has."""
    names = {n: is_folder for n, is_folder in tree.names(folder).items() if not is_hidden(n)}
    if any(is_named_as_picture(name) for name, is_folder in names.items() if not is_folder):
        return []
    return [name for name, is_folder in names.items() if is_folder]


def split_folders(tree: Tree, folder: str, where: str) -> dict[Split, str]:
    """The folders of the splits by split, whatever their spelling; empty where there are none.

    Validation images alone are enough, since an adopted network trains nothing. Raises AtlasError
    for training images alone, and where several folders could be a split's.
    """
    entries = tree.names(folder).items()
    names = [name for name, is_folder in entries if is_folder and not is_hidden(name)]
    said = _by_words(names)
    train = _one(said, TRAIN_WORDS, inside(where, folder))
    val = _one(said, VAL_WORDS, inside(where, folder))
    if val is None and train is not None:
        val = _one(said, TEST_WORDS, inside(where, folder))
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


def _by_words(names: Sequence[str]) -> dict[str, set[str]]:
    """The words by which each folder may name a split.

    That is its whole name; where no name is one, and each holds a word of a split, some of both
    (`train2017`, `val2017`), its words.
    """
    if {split_of(name) for name in names} != {"train", "val"} or any(
        name.lower() in TRAIN_WORDS | VAL_WORDS for name in names
    ):
        return {name: {name.lower()} for name in names}
    return {name: words_of(name) for name in names}


def _one(names: Mapping[str, set[str]], wanted: frozenset[str], where: str) -> str | None:
    fitting = [name for name, words in names.items() if words & wanted]
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
