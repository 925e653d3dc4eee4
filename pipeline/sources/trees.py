"""File trees: the files below a location, in one order on every machine, none of them opened."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from pipeline.dataset.store import file_name
from pipeline.errors import AtlasError
from pipeline.progress import Advance
from pipeline.sources.rejected import Rejection, is_named_as_picture

LINK_LOOP = "link back to a folder above it"
IGNORED_FOLDERS = frozenset(
    {"__MACOSX", "@eaDir", "lost+found", "__pycache__", "$RECYCLE.BIN", "#recycle"}
)
"""Folders that archives, file servers and file systems leave behind: taken as hidden."""


@dataclass(frozen=True, slots=True)
class File:
    """A file that may be an image."""

    path: str
    """Relative to the location, with `/` between folders; UTF-8."""
    stamp: str
    """Changes when the file does; empty where that cannot be seen."""
    position: str = ""
    """Where it is inside another file."""


@dataclass
class Listing:
    """The files below a folder."""

    files: list[File] = field(default_factory=list)
    """Sorted bytewise by path."""
    rejected: list[Rejection] = field(default_factory=list)
    """What needs no opening: hidden, no file, no UTF-8 name."""


@runtime_checkable
class Tree(Protocol):
    """The files below a location."""

    def names(self, folder: str) -> dict[str, bool]:
        """The names in a folder, sorted bytewise, and which are folders.

        Raises AtlasError where it cannot be listed.
        """
        ...

    def files(self, folder: str, advance: Advance) -> Listing:
        """All the files below a folder; of the location itself, of its folders too."""
        ...


def inside(folder: str, name: str) -> str:
    """A path of a name in a folder; the location itself is ''."""
    return f"{folder}/{name}" if folder else name


def readable(name: bytes) -> str:
    """A name with each byte that is not UTF-8 written as `\\xNN`."""
    return name.decode("utf-8", "backslashreplace")


def is_hidden(name: str) -> bool:
    """Whether a file or folder is not meant to be seen."""
    return name.startswith(".") or name in IGNORED_FOLDERS


@dataclass(frozen=True)
class FolderTree:
    """A folder of this machine. Linked folders are followed, but never back up."""

    root: Path

    def names(self, folder: str) -> dict[str, bool]:
        """See `Tree.names`."""
        entries = self._entries(folder)
        return {readable(entry.name): _is_folder(entry) for entry in entries}

    def files(self, folder: str, advance: Advance) -> Listing:
        """See `Tree.files`."""
        self._entries(folder)
        listing = Listing()
        full = self._full(folder)
        above = frozenset([_identity(self._full("")), _identity(full)])
        for item in _walk(full, folder, above):
            advance(1)
            if isinstance(item, File):
                listing.files.append(item)
            else:
                listing.rejected.append(item)
        listing.files.sort(key=lambda file: file.path.encode())
        return listing

    def _full(self, folder: str) -> bytes:
        return file_name(self.root / folder)

    def _entries(self, folder: str) -> list[os.DirEntry[bytes]]:
        try:
            return _scan(self._full(folder))
        except NotADirectoryError:
            raise AtlasError(
                f"{self.root / folder} is a file, and neither a .zip nor a .tar.",
                fix="Decompress it (`gunzip`), or set data.root in params.yaml to a folder.",
            ) from None
        except OSError as error:
            raise AtlasError(
                f"{self.root / folder} cannot be listed: {error.strerror}.",
                fix="Set data.root in params.yaml to the folder that holds the images.",
            ) from None


def _walk(
    full: bytes, folder: str, above: frozenset[tuple[int, int]], named: bool = True
) -> Iterator[File | Rejection]:
    """Files below a folder; `above` identifies it and the folders that lead to it.

    `named` says that all names down to it are UTF-8.
    """
    try:
        entries = _scan(full)
    except OSError as error:
        yield Rejection(folder, f"unreadable folder: {error.strerror}", stray=False)
        return
    for entry in entries:
        path = inside(folder, readable(entry.name))
        utf8 = named and readable(entry.name).encode() == entry.name
        if is_hidden(readable(entry.name)):
            yield Rejection(path, "hidden", stray=True)
        elif not _is_folder(entry):
            yield _file(entry, path, utf8)
        else:
            yield from _inner(entry.path, path, above, utf8)


def _inner(
    full: bytes, folder: str, above: frozenset[tuple[int, int]], named: bool
) -> Iterator[File | Rejection]:
    """Files below a folder in another, unless it leads back up or has gone."""
    try:
        identity = _identity(full)
    except OSError as error:
        yield Rejection(folder, f"unreadable folder: {error.strerror}", stray=False)
        return
    if identity in above:
        yield Rejection(folder, LINK_LOOP, stray=True)
    else:
        yield from _walk(full, folder, above | {identity}, named)


def _file(entry: "os.DirEntry[bytes]", path: str, named: bool) -> File | Rejection:
    """A file, or why it is of no use as far as can be said without opening it."""
    stray = not is_named_as_picture(path)
    if not named:
        return Rejection(path, "name is not UTF-8", stray)
    try:
        if not entry.is_file():
            reason = "link to nothing" if entry.is_symlink() else "no regular file"
            return Rejection(path, reason, stray)
        status = entry.stat()
    except OSError as error:
        return Rejection(path, f"unreadable: {error.strerror}", stray)
    return File(path, stamp_of(status))


def stamp_of(status: os.stat_result) -> str:
    """What changes when a file of this machine does."""
    # The inode's change time too: no program can set it back.
    facts = (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
    return " ".join(map(str, facts))


def _scan(folder: bytes) -> "list[os.DirEntry[bytes]]":
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name)


def _identity(folder: bytes) -> tuple[int, int]:
    status = os.stat(folder)
    return status.st_dev, status.st_ino


def _is_folder(entry: "os.DirEntry[bytes]") -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


@dataclass(frozen=True)
class IndexedTree:
    """A tree that is known whole: the members of an archive, the objects below a URL."""

    location: str
    """For messages."""
    listing: Listing
    """Of all files, hidden ones rejected."""

    def names(self, folder: str) -> dict[str, bool]:
        """See `Tree.names`."""
        start = f"{folder}/" if folder else ""
        found: dict[str, bool] = {}
        for path in (
            *(f.path for f in self.listing.files),
            *(r.path for r in self.listing.rejected),
        ):
            if path.startswith(start):
                name, slash, _ = path[len(start) :].partition("/")
                found[name] = found.get(name, False) or bool(slash)
        if not found:
            raise AtlasError(
                f"{self.location} holds no folder {folder!r}."
                if folder
                else f"{self.location} holds no files.",
                fix="Set data.root in params.yaml to what holds the images.",
            )
        return dict(sorted(found.items(), key=lambda item: item[0].encode()))

    def files(self, folder: str, advance: Advance) -> Listing:
        """See `Tree.files`."""
        start = f"{folder}/" if folder else ""
        files = [file for file in self.listing.files if file.path.startswith(start)]
        rejected = [item for item in self.listing.rejected if item.path.startswith(start)]
        advance(len(files) + len(rejected))
        return Listing(files, rejected)


def sorted_out(files: Iterable[File | Rejection]) -> Listing:
    """A listing of files in any order; what a hidden folder holds is hidden, and said once."""
    listing, hidden = Listing(), set()
    for item in files:
        parts = item.path.split("/")
        first = next((n for n, part in enumerate(parts) if is_hidden(part)), None)
        if first is not None:
            hidden.add("/".join(parts[: first + 1]))
        elif isinstance(item, Rejection):
            listing.rejected.append(item)
        else:
            listing.files.append(item)
    listing.files.sort(key=lambda file: file.path.encode())
    listing.rejected += [Rejection(path, "hidden", stray=True) for path in sorted(hidden)]
    return listing
