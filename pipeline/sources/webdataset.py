"""Tar shards of samples: `KEY.jpg` beside `KEY.cls` or `KEY.json`, as WebDataset has them."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pipeline.dataset.class_names import class_name, composed
from pipeline.dataset.manifest import Split
from pipeline.dataset.members import read_tar_member
from pipeline.dataset.remote import RemoteStore
from pipeline.dataset.store import FolderStore
from pipeline.dataset.unreadable import unreadable
from pipeline.sources.archives import tar_members
from pipeline.sources.protocol import Candidate
from pipeline.sources.rejected import Rejection, is_named_as_picture
from pipeline.sources.samples import Samples, label_of, out_of_range
from pipeline.sources.splits import TEST_WORDS, TRAIN_WORDS, VAL_WORDS
from pipeline.sources.trees import File, sorted_out

_LABEL_KEYS = ("label", "cls", "class", "class_name", "target")
_LABEL_SUFFIXES = ("cls", "json", "txt", "label")
_NUMBER = re.compile(r"-?[0-9]{1,18}")


def tar_samples(
    store: FolderStore | RemoteStore, path: str, split: Split | None, names: Sequence[str]
) -> Samples:
    """The samples of a tar shard.

    The class is what `.cls`, `.json` (its `label`) or `.txt` beside the image says: a number of
    the class names, or a name. Without one it is the folder of the image inside the shard.
    """
    try:
        with store.open(path) as file:
            said: dict[str, str | int | None] = {}
            members = tar_members(file, f"{store}/{path}", prefix=f"{path}/")
            listing = sorted_out(_with_labels(file, members, said))
    except OSError as error:
        raise unreadable(f"{store}/{path}", error) from None
    samples = Samples(rejected=list(listing.rejected))
    labels: dict[str, str | int] = {}
    for member in listing.files:
        if (label := said.get(member.path)) is not None:
            labels.setdefault(_key(member.path)[0], label)
    for member in listing.files:
        if is_named_as_picture(member.path):
            _add(samples, path, split, names, member, labels.get(_key(member.path)[0]))
    return samples


def _with_labels(
    file: Any, members: Iterable[File | Rejection], said: dict[str, str | int | None]
) -> Iterator[File | Rejection]:
    """The members, and into `said` what those beside images say.

    A label is read as the pass comes by it: at a URL, it is then in the block at hand.
    """
    for member in members:
        if isinstance(member, File) and _is_label(member.path):
            said[member.path] = _said(member.path, read_tar_member(file, member.position))
        yield member


def _is_label(path: str) -> bool:
    return not is_named_as_picture(path) and _key(path)[1] in _LABEL_SUFFIXES


def _add(
    samples: Samples,
    shard: str,
    split: Split | None,
    names: Sequence[str],
    image: File,
    said: str | int | None,
) -> None:
    label = label_of(said, names) if isinstance(said, int) else said
    if isinstance(said, int) and label is None:
        samples.rejected.append(out_of_range(image.path, said, names))
        return
    if label is None:
        label = _folder_class(image.path[len(shard) + 1 :])
    samples.candidates.append(Candidate(split, image.path, label, image.position, image.stamp))


def _key(path: str) -> tuple[str, str]:
    """A sample's key, and what its name says after the first dot."""
    folder, slash, name = path.rpartition("/")
    key, _, suffix = name.partition(".")
    return f"{folder}{slash}{key}", suffix.lower()


def _said(path: str, data: bytes) -> str | int | None:
    """The class that a file beside an image says; None where it says none."""
    try:
        text = data.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        return None
    if _key(path)[1] == "json":
        return _said_in_json(text)
    return int(text) if _NUMBER.fullmatch(text) else class_name(text) or None


def _said_in_json(text: str) -> str | int | None:
    try:
        facts = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(facts, dict):
        return None
    said = next((facts[key] for key in _LABEL_KEYS if key in facts), None)
    if isinstance(said, str):
        return class_name(said) or None
    return said if isinstance(said, int) else None


def _folder_class(path: str) -> str:
    """The class of an image by its folder inside the shard, split folders aside; or none."""
    folders = path.split("/")[:-1]
    splits = TRAIN_WORDS | VAL_WORDS | TEST_WORDS
    return composed(next((folder for folder in folders if folder.lower() not in splits), ""))
