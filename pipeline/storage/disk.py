"""A full disk as an error of its own, and space that is reserved before it is needed."""

import errno
import os
import shutil
from pathlib import Path
from typing import IO

from pipeline.errors import AtlasError

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
NEARLY_FULL_BYTES = 1 << 20


def disk_full_error(error: Exception, path: Path, *, kept: bool = False) -> AtlasError | None:
    """The AtlasError to raise if writing at `path` failed for want of space; else None.

    It promises that finished work is `kept` where the path is of a stage's resumable state.

    Some writers (safetensors, torch, NumPy) lose the system's error number; for them a disk with
    less than a mebibyte left counts as full. Ask while the unfinished file is still there.
    """
    code = getattr(error, "errno", None)
    if code not in DISK_FULL and (code is not None or _free_bytes(path) >= NEARLY_FULL_BYTES):
        return None
    return AtlasError(
        f"No space left to write {path}: {os.strerror(code or errno.ENOSPC)}.",
        fix=f"Free some space and run again{'; finished work is kept' * kept}.",
    )


def reserve(path: Path, size: int) -> None:
    """Make a file of zeros that has its space on the disk, or extend one; its content is kept.

    A memory map of a file whose space is not reserved kills the process when the disk is full.
    It is for resumable state. Raises AtlasError where the disk has less.
    """
    with path.open("ab") as file:
        missing = size - file.tell()
        try:
            if missing > 0 and hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), file.tell(), missing)
            elif missing > 0:
                _append_zeros(file, missing)
        except OSError as error:
            if full := disk_full_error(error, path, kept=True):
                raise full from error
            raise


def _append_zeros(file: IO[bytes], count: int) -> None:
    block = bytes(1 << 20)
    for first in range(0, count, len(block)):
        file.write(block[: count - first])


def _free_bytes(path: Path) -> int:
    """Bytes free in the nearest folder above a path that exists."""
    folder = next(parent for parent in path.absolute().parents if parent.is_dir())
    return shutil.disk_usage(folder).free
