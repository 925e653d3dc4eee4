"""One candidate, read and decoded once."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from pipeline.dataset.images import UnusableImageError, load_image
from pipeline.sources.protocol import Candidate
from pipeline.sources.rejected import Rejection, is_named_as_picture

MAX_BYTES = 1 << 29
"""A larger file is not read: 512 MiB."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """What is learnt from an image that decodes."""

    width: int
    """Pixels, upright."""
    height: int
    """Pixels, upright."""
    sha256: str
    """Of the file's bytes."""


def inspect(root: Path, candidate: Candidate) -> Inspection | Rejection:
    """Decode a candidate below `root`, or say why it cannot be used.

    A file that is an image neither by its bytes nor by its name is a stray.
    """
    try:
        data = _read(root / candidate.path)
        width, height = load_image(data).size
    except UnusableImageError as error:
        shapeless = error.kind in ("no image", "empty file")
        stray = shapeless and not is_named_as_picture(candidate.path)
        return Rejection(candidate.path, str(error), stray)
    except OSError as error:
        return Rejection(candidate.path, f"unreadable: {os.strerror(error.errno or 0)}", False)
    return Inspection(width, height, hashlib.sha256(data).hexdigest())


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > MAX_BYTES:
            raise UnusableImageError("no image", f"{size} bytes are too many")
        return file.read()
