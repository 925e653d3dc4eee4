"""Inspection: one candidate, read, hashed and decoded once."""

import hashlib
import os
from dataclasses import dataclass

from pipeline.dataset.images import UnusableImageError, load_image
from pipeline.dataset.members import TooLargeError, UnreachableError
from pipeline.dataset.store import ImageStore
from pipeline.dataset.unreadable import unreadable
from pipeline.sources.protocol import Candidate
from pipeline.sources.rejected import Rejection, is_named_as_picture

DECODING_VERSION = 2
"""Raise it when newer code uses, refuses or sizes a file differently."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """The facts of an image that decodes."""

    width: int
    """Pixels, upright."""
    height: int
    """Pixels, upright."""
    sha256: str
    """Of the file's bytes."""


def inspect(store: ImageStore, candidate: Candidate) -> Inspection | Rejection:
    """Decode a candidate of a store, or say why it cannot be used.

    A file that is an image neither by its bytes nor by its name is a stray. Raises AtlasError where
    a server failed at every attempt: the image may be as good as any.
    """
    try:
        data = store.read(candidate.key)
        width, height = load_image(data).size
    except UnusableImageError as error:
        shapeless = error.kind in ("no image", "empty file")
        stray = shapeless and not is_named_as_picture(candidate.path)
        return Rejection(candidate.path, str(error), stray)
    except TooLargeError as error:
        return Rejection(
            candidate.path, f"too large: {error}", not is_named_as_picture(candidate.path)
        )
    except UnreachableError as error:
        raise unreadable(f"{store}/{candidate.path}", error) from None
    except OSError as error:
        return refused(
            candidate, f"unreadable: {os.strerror(error.errno) if error.errno else error}"
        )
    return Inspection(width, height, hashlib.sha256(data).hexdigest())


def refused(candidate: Candidate, reason: str) -> Rejection:
    """A candidate that is not used although it is named as a picture, or may be one."""
    return Rejection(candidate.path, reason, stray=False)
