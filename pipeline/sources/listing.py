"""Files in class folders, or in none, listed in one order on every machine, none of them opened."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.dataset.manifest import Split
from pipeline.errors import AtlasError
from pipeline.progress import Advance
from pipeline.sources.protocol import Candidate
from pipeline.sources.rejected import Rejection, is_named_as_picture

LINK_LOOP = "link back to a folder above it"
IGNORED_FOLDERS = frozenset({"__MACOSX", "@eaDir", "lost+found"})
"""Folders that archives, file servers and file systems leave behind: taken as hidden."""


@dataclass(frozen=True)
class Listing:
    """What lies in a folder of class folders."""

    folder: str
    """That folder, relative to the root; empty for the root itself."""
    files: dict[str, list[str]]
    """Paths relative to the root, sorted bytewise, by the name of their class folder."""
    rejected: list[Rejection]
    """What needs no opening: hidden, outside a class folder, no file, no UTF-8 name."""

    def inside(self, path: str) -> str:
        """A path relative to that folder: class folder first."""
        return path.removeprefix(f"{self.folder}/") if self.folder else path

    def candidates(self, split: Split) -> Iterator[Candidate]:
        """All the files, as images of one split."""
        for label, paths in self.files.items():
            for path in paths:
                yield Candidate(split, path, label)


def list_classes(root: Path, folder: str, advance: Advance) -> Listing:
    """List the class folders of `root/folder` and all files below each.

    Linked folders are followed, but never back up. Raises AtlasError where the folder is missing,
    holds no class folder, or a class folder holds no file that could be an image.
    """
    files: dict[str, list[str]] = {}
    rejected: list[Rejection] = []
    entries = entries_of(root / folder)
    above = frozenset([_identity(root), _identity(root / folder)])
    for entry in entries:
        path = f"{folder}/{entry.name}" if folder else entry.name
        if _is_hidden(entry.name):
            rejected.append(Rejection(readable(path), "hidden", stray=True))
        elif not _is_folder(entry):
            rejected.append(Rejection(readable(path), "outside every class folder", stray=True))
        elif _identity(root / path) in above:
            rejected.append(Rejection(readable(path), LINK_LOOP, stray=True))
        else:
            found = _walk(root, path, above, advance)
            files[entry.name] = _sort_out(found, rejected)
    if not files:
        raise AtlasError(
            f"{root / folder} holds no class folders, only {len(rejected)} other entries.",
            fix="Put the images of each class into a folder that bears its name.",
        )
    return Listing(folder, _with_images(root / folder, files), rejected)


def is_flat(folder: Path) -> bool:
    """Whether a folder holds images and no folder: nothing says their classes."""
    entries = [entry for entry in entries_of(folder) if not _is_hidden(entry.name)]
    return not any(map(_is_folder, entries)) and any(
        is_named_as_picture(entry.name) for entry in entries
    )


def list_flat(root: Path, folder: str, advance: Advance) -> Listing:
    """List the images of a folder without class folders; their class has no name."""
    rejected: list[Rejection] = []
    found = (
        item if isinstance(item, Rejection) else item.removeprefix("./")
        for item in _walk(root, folder or ".", frozenset(), advance)
    )
    return Listing(folder, {"": _sort_out(found, rejected)}, rejected)


def _with_images(folder: Path, files: dict[str, list[str]]) -> dict[str, list[str]]:
    """The classes, less those whose very name is rejected with all their files."""
    kept = {label: paths for label, paths in files.items() if readable(label) == label}
    empty = [label for label, paths in kept.items() if not paths]
    if empty:
        raise AtlasError(
            f"No image lies in {_few(empty)} of {folder}.",
            fix="Put images there, or remove the folder.",
        )
    return kept


def _few(labels: list[str]) -> str:
    shown = ", ".join(repr(label) for label in labels[:3])
    more = f" and {len(labels) - 3} more" if len(labels) > 3 else ""
    return f"class folder{'s' if len(labels) > 1 else ''} {shown}{more}"


def _sort_out(found: Iterator[str | Rejection], rejected: list[Rejection]) -> list[str]:
    """Paths sorted bytewise; rejections go to the list given."""
    paths = []
    for item in found:
        if isinstance(item, Rejection):
            rejected.append(item)
        else:
            paths.append(item)
    return sorted(paths, key=os.fsencode)


def _walk(
    root: Path, folder: str, above: frozenset[tuple[int, int]], advance: Advance
) -> Iterator[str | Rejection]:
    """Files below a folder; `above` identifies the folders that lead to it."""
    try:
        here = above | {_identity(root / folder)}
        entries = _scan(root / folder)
    except OSError as error:
        yield Rejection(readable(folder), f"unreadable folder: {error.strerror}", stray=False)
        return
    for entry in entries:
        path = f"{folder}/{entry.name}"
        if _is_hidden(entry.name) or not _is_folder(entry):
            advance(1)
            yield _fault(entry, path) or path
        elif _identity(root / path) in here:
            yield Rejection(readable(path), LINK_LOOP, stray=True)
        else:
            yield from _walk(root, path, here, advance)


def _fault(entry: os.DirEntry[str], path: str) -> Rejection | None:
    """Why a file is of no use, as far as can be told without opening it."""
    if _is_hidden(entry.name):
        return Rejection(readable(path), "hidden", stray=True)
    stray = not is_named_as_picture(entry.name)
    if readable(path) != path:
        return Rejection(readable(path), "name is no UTF-8", stray)
    try:
        whole = entry.is_file()
    except OSError as error:
        return Rejection(path, f"unreadable: {error.strerror}", stray)
    if whole:
        return None
    reason = "link to nothing" if entry.is_symlink() else "no regular file"
    return Rejection(path, reason, stray)


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name in IGNORED_FOLDERS


def readable(path: str) -> str:
    """A path with each byte that is no UTF-8 written as `\\xNN`; itself where there is none."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def entries_of(folder: Path) -> list[os.DirEntry[str]]:
    """What lies in a folder, sorted bytewise. Raises AtlasError where it cannot be listed."""
    try:
        return _scan(folder)
    except OSError as error:
        raise AtlasError(
            f"{folder} cannot be listed: {error.strerror}.",
            fix="Set data.root in params.yaml to the folder that holds the images.",
        ) from None


def _scan(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: os.fsencode(entry.name))


def _identity(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
