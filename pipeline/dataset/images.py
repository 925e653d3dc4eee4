"""From an image file to a network input: the one `load_image` and the one `square` of the project."""

import io
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional

from pipeline.errors import AtlasError

MAX_PIXELS = 100_000_000
"""An image with more is refused before it is decoded."""
MID_GREY = (128, 128, 128)


class UnusableImageError(Exception):
    """An image file that cannot be used; the message is the reason."""


def load_image(data: bytes) -> Image.Image:
    """Decode an image file's bytes to RGB, upright.

    EXIF orientation is applied, transparency lies over mid grey, 16-bit grey is scaled by 1/257,
    of an animation the first frame counts. Raises UnusableImageError with the reason.
    """
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.width * image.height > MAX_PIXELS:
                raise UnusableImageError(f"{image.width} × {image.height} pixels are too many")
            image.load()
            return _to_rgb(ImageOps.exif_transpose(image))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UnusableImageError(" ".join(str(error).split()) or type(error).__name__) from error


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16") or image.mode == "I":
        grey = np.asarray(image).astype(np.float64) / 257
        image = Image.fromarray(np.clip(np.rint(grey), 0, 255).astype(np.uint8))
    if "transparency" in image.info or image.mode in ("RGBA", "LA", "PA"):
        layer = image.convert("RGBA")
        ground = Image.new("RGBA", layer.size, (*MID_GREY, 255))
        image = Image.alpha_composite(ground, layer)
    return image.convert("RGB")


def square(image: Image.Image, resize: int, crop: int) -> UInt8[np.ndarray, "crop crop 3"]:
    """Resize the shortest side (bilinear, antialiased), then take the centre square.

    The pixels of the network input before normalisation, as torchvision.transforms.v2 makes them.
    """
    resized = functional.resize(
        image, [resize], interpolation=v2.InterpolationMode.BILINEAR, antialias=True
    )
    return np.asarray(functional.center_crop(resized, [crop, crop]))


def load_square(path: Path, resize: int, crop: int) -> UInt8[np.ndarray, "crop crop 3"]:
    """The square of an image file that the manifest lists.

    Raises AtlasError where the file has gone or no longer decodes.
    """
    try:
        return square(load_image(path.read_bytes()), resize, crop)
    except (OSError, UnusableImageError) as error:
        raise AtlasError(
            f"{path}, which the manifest lists, cannot be read: {error}.",
            fix="Restore it, or run `dvc repro -f -s prepare` and then `dvc repro`.",
        ) from error
