"""Verified reading: the images of the manifest, with the bytes that `prepare` listed."""

import hashlib

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from pipeline.dataset.framing import centre_square
from pipeline.dataset.images import UnusableImageError, load_image
from pipeline.dataset.manifest import ImageRow
from pipeline.dataset.store import ImageStore
from pipeline.dataset.unreadable import unreadable
from pipeline.errors import AtlasError
from pipeline.params import Interpolation

FIX = "Restore it, or run `dvc repro -f -s prepare` and then `dvc repro`."


def read_verified(store: ImageStore, row: ImageRow) -> bytes:
    """The bytes of a listed image, hashed as they are read.

    Raises AtlasError where the image is missing or has other bytes than the manifest says.
    """
    try:
        data = store.read(row.key)
    except OSError as error:
        raise unreadable(_listed(store, row), error, FIX) from error
    if hashlib.sha256(data).hexdigest() != row.sha256:
        raise AtlasError(f"{store}/{row.path} is not the file that the manifest lists.", fix=FIX)
    return data


def decode_verified(store: ImageStore, row: ImageRow) -> Image.Image:
    """A listed image in RGB, upright.

    Raises AtlasError as `read_verified` does, and where the image no longer decodes.
    """
    try:
        return load_image(read_verified(store, row))
    except UnusableImageError as error:
        raise unreadable(_listed(store, row), error, FIX) from error


def load_verified(
    store: ImageStore,
    row: ImageRow,
    resize: int,
    crop: int,
    interpolation: Interpolation = "bilinear",
) -> UInt8[np.ndarray, "crop crop 3"]:
    """The square of a listed image, as `centre_square` makes it.

    Raises AtlasError as `decode_verified` does.
    """
    return centre_square(decode_verified(store, row), resize, crop, interpolation)


def _listed(store: ImageStore, row: ImageRow) -> str:
    return f"{store}/{row.path}, which the manifest lists,"
