"""From an image file to a network input: the project's one `load_image` and one `square`."""

import io
import struct
import warnings
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps, UnidentifiedImageError

from pipeline.errors import AtlasError
from pipeline.params import Interpolation

MAX_PIXELS = 89_478_485
"""An image with more is refused before it is decoded; Pillow's own limit, which only warns."""
MID_GREY = (128, 128, 128)
LONGEST = 32
"""An image with a larger aspect ratio is cut to its middle before it is resized."""

Image.init()
FORMATS = sorted(
    {"AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP"} & set(Image.OPEN)
)
"""What is decoded: formats of photographs. Others are not tried, since some run programs (EPS)."""

# What Pillow's decoders were seen to raise on damaged bytes; it promises no common class.
_DAMAGE = (
    ArithmeticError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
)
_BOMB = (Image.DecompressionBombError, Image.DecompressionBombWarning)
# An error for the whole process, since filters cannot be changed safely while threads decode.
warnings.simplefilter("error", Image.DecompressionBombWarning)
_EIGHT_BITS = ((np.arange(1 << 16) + 128) // 257).astype(np.uint8)


class UnusableImageError(Exception):
    """An image file that cannot be used: the kind of fault, then what is special to this file."""

    def __init__(self, kind: str, detail: str = "") -> None:
        super().__init__(f"{kind}: {detail}" if detail else kind)
        self.kind = kind


def load_image(data: bytes) -> Image.Image:
    """Decode an image file's bytes to RGB, upright.

    EXIF orientation is applied, transparency lies over mid grey, 16-bit grey is scaled by 1/257,
    of an animation the first frame counts. Raises UnusableImageError with the reason.
    """
    if not data:
        raise UnusableImageError("empty file")
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise UnusableImageError("too many pixels", f"{image.width} × {image.height}")
            image.load()
            ImageOps.exif_transpose(image, in_place=True)
            return _to_rgb(image)
    except UnidentifiedImageError:
        raise UnusableImageError("no image", f"it begins with {data[:16]!r}") from None
    except _BOMB as error:
        raise UnusableImageError("too many pixels", _one_line(error)) from error
    except _DAMAGE as error:
        kind = "truncated" if "truncated" in str(error).lower() else "damaged"
        raise UnusableImageError(kind, _one_line(error)) from error


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode in ("F", "I") or image.mode.startswith("I;16"):
        return _grey_to_rgb(image)
    if image.has_transparency_data:
        return _over_grey(image.convert("RGBA"))
    return image.copy() if image.mode == "RGB" else image.convert("RGB")


def _grey_to_rgb(image: Image.Image) -> Image.Image:
    """Grey of 16 bits as RGB; a transparent grey value becomes mid grey."""
    values = np.asarray(image)
    if image.mode == "F" or values.min() < 0 or values.max() >= len(_EIGHT_BITS):
        raise UnusableImageError("no defined white", "grey values of more than 16 bits")
    grey = _EIGHT_BITS[values]
    grey[values == image.info.get("transparency", -1)] = MID_GREY[0]
    return Image.fromarray(grey).convert("RGB")


def _over_grey(layer: Image.Image) -> Image.Image:
    ground = Image.new("RGBA", layer.size, (*MID_GREY, 255))
    return Image.alpha_composite(ground, layer).convert("RGB")


def square(
    image: Image.Image, resize: int, crop: int, interpolation: Interpolation = "bilinear"
) -> UInt8[np.ndarray, "crop crop 3"]:
    """Resize the shortest side, antialiased, then take the centre square.

    The pixels of the network input before normalisation, to the bit those that
    torchvision.transforms.v2 makes of the same Pillow image (at an aspect ratio above 32: within
    one pixel of its place). Safe to call from threads.
    """
    image = _middle(image)
    width, height = image.size
    short = min(width, height)
    new_width, new_height = int(resize * width / short), int(resize * height / short)
    left, top = round((new_width - crop) / 2), round((new_height - crop) / 2)
    # Pillow resizes rows, then columns; between the two, columns outside the square are dropped.
    resampling = Image.Resampling[interpolation.upper()]
    image = image.resize((new_width, height), resampling)
    image = image.crop((left, 0, left + crop, height))
    image = image.resize((crop, new_height), resampling)
    return np.asarray(image.crop((0, top, crop, top + crop)))


def _middle(image: Image.Image) -> Image.Image:
    """The middle of a very long image, cut by equal amounts at both ends.

    1 × 60,000 pixels would otherwise become 256 × 15 million before the square is taken.
    """
    width, height = image.size
    longest = LONGEST * min(width, height)
    across, down = max(0, width - longest) // 2, max(0, height - longest) // 2
    return image.crop((across, down, width - across, height - down))


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
