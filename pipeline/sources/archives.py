"""Tar and zip files: their members, with where each is inside, nothing unpacked."""

import os
import tarfile
import zipfile
from collections.abc import Iterator
from typing import Any

from pipeline.dataset.members import tar_position, zip_position
from pipeline.dataset.remote import RemoteFile, RemoteStore
from pipeline.dataset.store import FolderStore, open_images
from pipeline.dataset.unreadable import unreadable
from pipeline.errors import AtlasError
from pipeline.sources.rejected import Rejection, is_named_as_picture
from pipeline.sources.trees import File, IndexedTree, sorted_out, stamp_of

_STORED, _DEFLATED = 0, 8
_BLOCK = 512
_ENCRYPTED, _UTF8 = 1, 1 << 11
"""Flags of a zip file's member: its content is encrypted, its name is in UTF-8."""


def archive_tree(location: str) -> IndexedTree:
    """The tree inside an archive. Raises AtlasError for a damaged or truncated one."""
    store = open_images(location)
    assert isinstance(store, FolderStore | RemoteStore)
    try:
        with store.open("") as file:
            members = _zip_members if location.lower().endswith(".zip") else tar_members
            return IndexedTree(location, sorted_out(members(file, location)))
    except OSError as error:
        fix = "Set data.root in params.yaml to what holds the images."
        raise unreadable(location, error, fix) from None


def tar_members(file: Any, name: str, prefix: str = "") -> Iterator[File | Rejection]:
    """The members of a tar file, their paths after a prefix.

    The file may be read elsewhere between two of them. Raises AtlasError for what is not an
    uncompressed tar, and for one that lacks its end.
    """
    stamp, size = stamp_of_file(file), file.seek(0, os.SEEK_END)
    file.seek(0)
    end = 0
    try:
        with tarfile.open(fileobj=file, mode="r:", encoding="utf-8") as tar:
            while (member := tar.next()) is not None:
                tar.members.clear()  # type: ignore[attr-defined]  # its list grows with the file
                end = member.offset_data + -(-member.size // _BLOCK) * _BLOCK
                if member.isdir():
                    continue
                inner = member.name.removeprefix("./")
                path = prefix + inner
                if fault := _name_fault(inner):
                    yield Rejection(_shown(path), fault, not is_named_as_picture(path))
                elif not member.isreg() or member.issparse():
                    yield Rejection(path, "no regular file", not is_named_as_picture(path))
                else:
                    position = tar_position(member.offset_data, member.size)
                    yield File(path, stamp, position)
    except tarfile.TarError as error:
        raise AtlasError(
            f"{name} is truncated or damaged, or no uncompressed tar file: {error}.",
            fix="Decompress it (`gunzip`), or fetch it again.",
        ) from None
    # The tar reader takes both the file's end and a header that it cannot read for the last member.
    file.seek(end)
    if file.read(_BLOCK) != bytes(_BLOCK):
        raise AtlasError(
            f"{name} is truncated or damaged after {end} of {size} bytes.", fix="Fetch it again."
        )


def _zip_members(file: Any, name: str) -> Iterator[File | Rejection]:
    stamp = stamp_of_file(file)
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
        backslashes = not any("/" in member.filename for member in members)
        for member in members:
            path = _zip_name(member)
            path = path.replace("\\", "/") if backslashes else path
            if not path.endswith("/"):
                yield _zip_member(member, path, stamp)
    except (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError) as error:
        raise AtlasError(
            f"{name} is not a zip file, or is damaged: {error}.", fix="Fetch it again."
        ) from None


def _zip_name(member: zipfile.ZipInfo) -> str:
    """A member's name: in UTF-8 where it can be, which macOS writes without saying so."""
    if member.flag_bits & _UTF8:
        return member.filename
    try:
        return member.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return member.filename


def _zip_member(member: zipfile.ZipInfo, path: str, stamp: str) -> File | Rejection:
    stray = not is_named_as_picture(path)
    if fault := _name_fault(path):
        return Rejection(_shown(path), fault, stray)
    if member.flag_bits & _ENCRYPTED:
        return Rejection(path, "encrypted in the archive", stray)
    if member.compress_type not in (_STORED, _DEFLATED):
        return Rejection(
            path, f"compressed in a way that is not read: {member.compress_type}", stray
        )
    position = zip_position(member.header_offset, member.compress_size, member.compress_type)
    return File(path, stamp, position)


def _name_fault(name: str) -> str:
    """Why a member's name cannot be a path of the manifest; empty where it can."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return "name is not UTF-8"
    parts = name.split("/")
    if "\0" in name or name.startswith("/") or {"", ".", ".."} & set(parts):
        return "name is not a path inside the archive"
    return ""


def _shown(path: str) -> str:
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def stamp_of_file(file: Any) -> str:
    """What changes when an open file of a store does; empty where that cannot be seen."""
    if isinstance(file.raw, RemoteFile):
        return file.raw.stamp
    return stamp_of(os.fstat(file.fileno()))
