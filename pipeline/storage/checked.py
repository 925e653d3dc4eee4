"""Files that carry the checksum of their content: state is believed only where it is intact."""

import hashlib
import logging
import os
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import IO

from pipeline.storage.disk import disk_full_error

log = logging.getLogger(__name__)

_HEADER_BYTES = 65
"""SHA-256 of what follows, in hexadecimal, and a line break."""


def write_checked(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Replace a file, whole or not at all, by what `write` writes, behind its checksum.

    Raises AtlasError where the disk is full.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("w+b") as file:
            file.write(bytes(_HEADER_BYTES))
            write(file)
            file.seek(_HEADER_BYTES)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0)
            file.write(f"{digest}\n".encode())
            file.flush()
            os.fsync(file.fileno())  # before the rename: else a power cut may leave neither file
        partial.replace(path)
    except (OSError, RuntimeError) as error:
        if full := disk_full_error(error, path, kept=True):
            raise full from error
        raise


def read_checked(path: Path) -> BytesIO | None:
    """The content of such a file; None where there is none, or none that is intact.

    What is damaged is removed, with one line in the log: its work is done again.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    header, payload = content[:_HEADER_BYTES], memoryview(content)[_HEADER_BYTES:]
    if header == f"{hashlib.sha256(payload).hexdigest()}\n".encode():
        return BytesIO(payload)
    log.warning("%s is damaged; it is removed, and its work is done again.", path)
    path.unlink(missing_ok=True)  # another process of the group may have been first
    return None
