"""Image stores: the bytes of images by key, wherever they are kept."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol, runtime_checkable

from pipeline.dataset.members import (
    MAX_BYTES,
    TooLargeError,
    is_archive,
    read_member,
    split_key,
)


@runtime_checkable
class ImageStore(Protocol):
    """The bytes of images by key. Picklable, safe to use from threads, cheap to open.

    `str(store)` names the place in messages, and never holds credentials.
    """

    def read(self, key: str) -> bytes:
        """The bytes of an image; its key is `ImageRow.key`. Raises OSError."""
        ...


def open_images(location: str | Path) -> ImageStore:
    """The store at a location, which is what `Workspace.images` makes of `data.root`.

    A folder, or a zip or tar file of one; each may also be at a URL that fsspec opens.
    """
    if "://" in str(location):
        from pipeline.dataset.remote import RemoteStore

        return RemoteStore(str(location))
    return FolderStore(Path(location))


@dataclass(frozen=True)
class FolderStore:
    """The files of a folder, or of one archive; a key's path has `/` between folders."""

    root: Path
    """Readable under the same name by every worker."""

    def __str__(self) -> str:
        return str(self.root)

    def read(self, key: str) -> bytes:
        """A file's bytes. Raises OSError, also for what is not a regular file."""
        path, position = split_key(key)
        if position:
            return read_member(self, path, position)
        with self.open(path) as file:
            size = os.fstat(file.fileno()).st_size
            if size > MAX_BYTES:
                raise TooLargeError(size)
            return file.read()

    def read_range(self, path: str, start: int, length: int) -> bytes:
        """Some bytes of a file; fewer at its end. Raises OSError."""
        with self.open(path) as file:
            file.seek(start)
            return file.read(length)

    def open(self, path: str) -> BinaryIO:
        """A regular file, open for reading. Raises OSError for anything else."""
        full = file_name(self.root if is_archive(str(self.root)) else self.root / path)
        # Opening a pipe without O_NONBLOCK would wait for a writer that may never come.
        file = open(os.open(full, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")  # noqa: SIM115
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            file.close()
            raise OSError("it is not a regular file")
        return file


def file_name(path: Path) -> bytes:
    """A path as the operating system has it: UTF-8, whatever the locale says."""
    return str(path).encode("utf-8", "surrogateescape")
