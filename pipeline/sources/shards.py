"""Shards: tar files of samples (WebDataset) and parquet files (as on the Hugging Face hub)."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from pipeline.dataset.manifest import Split
from pipeline.dataset.members import SHARDS
from pipeline.dataset.remote import RemoteStore
from pipeline.dataset.store import FolderStore, open_images
from pipeline.dataset.unreadable import unreadable
from pipeline.errors import AtlasError
from pipeline.params import DataParams
from pipeline.progress import Advance
from pipeline.sources.protocol import Located
from pipeline.sources.rejected import is_named_as_picture
from pipeline.sources.samples import Samples, named_all
from pipeline.sources.split import by_fraction
from pipeline.sources.splits import VAL_WORDS, split_of, words_of
from pipeline.sources.trees import Tree

Store = FolderStore | RemoteStore
_NUMBER = re.compile(r"(.*?)(\d+)(?:-of-(\d+))?(\D[^/]*)?", re.DOTALL)


def holds_shards(tree: Tree) -> bool:
    """Whether a tree's top two levels hold shards and no pictures."""
    names = tree.names("")
    folders = [name for name, is_folder in names.items() if is_folder and not name.startswith(".")]
    files = [name for name, is_folder in names.items() if not is_folder]
    if not _shards(files) and len(folders) <= len(_USUAL_FOLDERS):
        files += [name for folder in folders for name in tree.names(folder)]
    return bool(_shards(files)) and not any(map(is_named_as_picture, files))


_USUAL_FOLDERS = ("data", "train", "val", "test")


def _shards(names: Iterable[str]) -> list[str]:
    return [name for name in names if name.lower().endswith(SHARDS)]


def locate_shards(
    location: str, tree: Tree, data: DataParams, seed: int, advance: Advance, folder: str = ""
) -> Located:
    """The samples of all shards below a folder of a location.

    A shard's split is a word of its path; where none has one, `data.val_fraction` splits each
    class, and images without classes are all for validation. Raises AtlasError for a shard that is
    missing, truncated, or of another schema.
    """
    store = open_images(location)
    assert isinstance(store, FolderStore | RemoteStore)
    listing = tree.files(folder, advance)
    paths = _shards(file.path for file in listing.files)
    _check_whole(location, paths)
    splits = _splits(paths)
    names = _class_names(store, [file.path for file in listing.files])
    found = Samples(rejected=list(listing.rejected))
    for path in paths:
        if path in splits:
            samples = _samples(store, path, splits[path], names)
            found.candidates += samples.candidates
            found.rejected += samples.rejected
            advance(len(samples.candidates))
    if not found.candidates:
        raise AtlasError(
            f"The {len(paths)} shards of {location} hold no images.",
            fix="Set data.root in params.yaml to shards of images.",
        )
    if any(candidate.split for candidate in found.candidates):
        return Located(found.candidates, found.rejected)
    if not any(candidate.label for candidate in found.candidates):
        unsplit = (replace(candidate, split="val") for candidate in found.candidates)
        return Located([*unsplit], found.rejected)
    return Located(found.candidates, found.rejected, by_fraction(data.val_fraction, seed))


def _samples(store: Store, path: str, split: Split | None, names: Sequence[str]) -> Samples:
    if path.lower().endswith(".tar"):
        from pipeline.sources.webdataset import tar_samples

        return tar_samples(store, path, split, names)
    from pipeline.sources.parquet import parquet_samples

    return parquet_samples(store, path, split, names)


def _splits(paths: Sequence[str]) -> dict[str, Split | None]:
    """The split of each shard that is used, None to be drawn.

    Where some are for validation, those named `test` are left alone; where only some have a split
    at all, the others are left alone too.
    """
    said = {path: split_of(path) for path in paths}
    named_val = [
        path for path, split in said.items() if split == "val" and VAL_WORDS & words_of(path)
    ]
    used = {
        path: split
        for path, split in said.items()
        if split != "val" or not named_val or path in named_val
    }
    if set(used.values()) == {"train"}:
        return dict.fromkeys(used)
    some = any(used.values())
    return {path: split for path, split in used.items() if split or not some}


def _check_whole(location: str, paths: Sequence[str]) -> None:
    """Raise AtlasError where a numbered series of shards (`…-00001-of-00003`) has gaps."""
    series: dict[tuple[str, str], set[int]] = defaultdict(set)
    for path in paths:
        if found := _NUMBER.fullmatch(path):
            series[found[1], found[3] or ""].add(int(found[2]))
    for (name, count), numbers in series.items():
        first = min(numbers) if not count else 0 if 0 in numbers else 1
        last = max(numbers) if not count else first + int(count) - 1
        missing = [
            number for number in range(first, min(last, 1 << 20) + 1) if number not in numbers
        ]
        if missing:
            raise AtlasError(
                f"Shard {missing[0]} of {location}/{name}… is missing"
                f" ({len(missing)} of {last - first + 1} are).",
                fix="Fetch it, then run again.",
            )


def _class_names(store: Store, paths: Sequence[str]) -> Sequence[str]:
    """Class names in the order of their numbers, from a text file of one a line, where there is."""
    for path in paths:
        if path.lower() in ("classes.txt", "classnames.txt", "labels.txt"):
            try:
                text = store.read(path).decode("utf-8-sig")
            except OSError as error:
                raise unreadable(f"{store}/{path}", error) from None
            except UnicodeDecodeError:
                raise AtlasError(
                    f"{store}/{path} is not in UTF-8.", fix="Save it as UTF-8."
                ) from None
            lines = (line.strip() for line in text.splitlines())
            return named_all(filter(None, lines), f"{store}/{path}")
    return ()
