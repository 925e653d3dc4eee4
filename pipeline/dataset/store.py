"""Image stores: the bytes of images by key, wherever they are kept."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable


@runtime_checkable
class ImageStore(Protocol):
    """Where the bytes of images are. Picklable, safe to use from threads, cheap to open.

    `str(store)` names the place in messages, and never holds credentials.
    """

    def read(self, key: str) -> bytes:
        """The bytes of an image; its key is `ImageRow.key`. Raises OSError."""
        ...


def open_images(location: str | Path) -> ImageStore:
    """The store at a location, which is what `Workspace.images` makes of `data.root`."""
    return FolderStore(Path(location))


@dataclass(frozen=True)
class FolderStore:
    """The files of a folder; a key is a path below it, with `/` between folders."""

    root: Path
    """Readable under the same name by every worker."""

    def __str__(self) -> str:
        return str(self.root)

    def read(self, key: str) -> bytes:
        """A file's bytes. Raises OSError, also for what is no regular file."""
        return read_regular(self.root / key)


def read_regular(path: Path) -> bytes:
    """The bytes of a regular file. Raises OSError for anything else."""
    # Opening a pipe without O_NONBLOCK would wait for a writer that may never come.
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError("it is no regular file")
        return file.read()
