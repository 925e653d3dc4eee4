"""Room on the disk: telling a full one from other faults."""

import errno
import os
import shutil
from pathlib import Path

from pipeline.errors import AtlasError

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
NEARLY_FULL_BYTES = 1 << 20


def no_room(error: Exception, path: Path) -> AtlasError | None:
    """The AtlasError to raise if writing at `path` failed for want of room; else None.

    Some writers (safetensors, torch, NumPy) lose the system's error number; for them a disk with
    less than a mebibyte left counts as full. Ask while the unfinished file still stands.
    """
    code = getattr(error, "errno", None)
    if code not in NO_ROOM and (code is not None or _free_bytes(path) >= NEARLY_FULL_BYTES):
        return None
    return AtlasError(
        f"No room to write {path}: {os.strerror(code or errno.ENOSPC)}.",
        fix="Free some space and run again; finished work is kept.",
    )


def _free_bytes(path: Path) -> int:
    """Bytes free where the nearest existing folder of a path stands."""
    folder = next(parent for parent in path.absolute().parents if parent.is_dir())
    return shutil.disk_usage(folder).free
