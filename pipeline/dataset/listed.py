"""Images of the manifest, read again: the same bytes as when they were listed, or an error."""

import hashlib
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from pipeline.dataset.images import UnusableImageError, load_image, square
from pipeline.dataset.manifest import ImageRow
from pipeline.errors import AtlasError


def load_listed(
    root: Path, row: ImageRow, resize: int, crop: int
) -> UInt8[np.ndarray, "crop crop 3"]:
    """The square of a listed image; `root` is the folder that its path starts in.

    Raises AtlasError where the file has gone, holds other bytes than the manifest says, or no
    longer decodes.
    """
    path = root / row.path
    fix = "Restore it, or run `dvc repro -f -s prepare` and then `dvc repro`."
    try:
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != row.sha256:
            raise AtlasError(f"{path} is not the file that the manifest lists.", fix=fix)
        return square(load_image(data), resize, crop)
    except (OSError, UnusableImageError) as error:
        raise AtlasError(
            f"{path}, which the manifest lists, cannot be read: {error}.", fix=fix
        ) from error
