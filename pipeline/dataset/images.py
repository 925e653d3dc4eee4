"""From the bytes of an image file to RGB: the project's one `load_image`."""

import ctypes
import io
import logging
import struct
import warnings
from contextlib import suppress

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageChops, ImageOps, UnidentifiedImageError, _imaging

from pipeline.dataset.png import SIGNATURE, transparent_colour, without_metadata

MAX_PIXELS = 89_478_485
"""An image with more is refused before it is decoded; Pillow's own limit, which only warns."""
MID_GREY = (128, 128, 128)
MAX_GREY = 65535
STRIP = 512
"""Rows converted at a time."""

Image.init()
FORMATS = sorted(
    {"AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP"} & set(Image.OPEN)
)
"""Formats of photographs, which are decoded. Others are not, since some run programs (EPS)."""

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
# What Pillow says of damaged metadata: the file is used or refused by its pixels.
warnings.filterwarnings("ignore", module=r"PIL\.", category=UserWarning)
logging.getLogger("PIL").setLevel(logging.CRITICAL)


def _silence_libtiff() -> None:
    """Let libtiff, which Pillow links to, print nothing; it would whenever an odd file is read."""
    library = ctypes.CDLL(_imaging.__file__)
    for kind in ("Error", "Warning"):
        if (set_handler := getattr(library, f"TIFFSet{kind}Handler", None)) is not None:
            set_handler(None)


_silence_libtiff()

_BITS_PER_SAMPLE, _PHOTOMETRIC, _SAMPLE_FORMAT = 258, 262, 339
_SIGNED = 2
_KINDS = (
    (b"<", "text such as HTML"),
    (b"%PDF", "PDF"),
    (b"%!", "PostScript"),
    (b"PK", "a zip file"),
    (b"version https://git-lfs", "a Git LFS pointer"),
    (b"8BPS", "Photoshop"),
)


class UnusableImageError(Exception):
    """An image file that cannot be used: the kind of fault, then what is special to this file."""

    def __init__(self, kind: str, detail: str = "") -> None:
        super().__init__(f"{kind}: {detail}" if detail else kind)
        self.kind = kind


def load_image(data: bytes) -> Image.Image:
    """Decode an image file's bytes to RGB, upright.

    EXIF orientation is applied, transparency is over mid grey, grey of more than 8 bits is scaled
    so that white is 255, of an animation the first frame counts, colour profiles are ignored.
    Raises UnusableImageError with the reason.
    """
    if not data:
        raise UnusableImageError("empty file")
    if data.startswith(SIGNATURE):
        data = without_metadata(data)
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise UnusableImageError("too many pixels", f"{image.width} × {image.height}")
            return _decoded(image, data)
    except UnidentifiedImageError:
        raise _unidentified(data) from None
    except _BOMB as error:
        raise UnusableImageError("too many pixels", _one_line(error)) from error
    except _DAMAGE as error:
        kind = "truncated" if "truncated" in str(error).lower() else "damaged"
        raise UnusableImageError(kind, _one_line(error)) from error


def _unidentified(data: bytes) -> UnusableImageError:
    """What a file is that no decoder takes.

    Its bytes are not shown: a link may lead to a secret, and the reason is published.
    """
    for format_ in FORMATS:
        accept = Image.OPEN[format_][1]
        if accept and accept(data[:16]) is True:
            return UnusableImageError("damaged", f"{format_} of an unknown kind")
    for start, kind in _KINDS:
        if data.startswith(start):
            return UnusableImageError("no image", f"it is {kind}")
    found = "it is text" if _is_text(data[:256]) else "its format is none of photographs"
    return UnusableImageError("no image", found)


def _is_text(data: bytes) -> bool:
    return all(byte in b"\t\n\r" or 32 <= byte < 127 for byte in data)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _decoded(image: Image.Image, data: bytes) -> Image.Image:
    """An opened image as RGB, upright."""
    white = _white(image)
    if image.format == "PNG":
        _restore_transparency(image, data)
    if image.format in ("JPEG", "MPO") and image.mode == "CMYK" and "adobe" not in image.info:
        image.load()
        image.im = ImageChops.invert(image).im  # Pillow takes every CMYK JPEG for Adobe's negative
    image.load()
    with suppress(*_DAMAGE):  # of its metadata: the pixels are there
        ImageOps.exif_transpose(image, in_place=True)
    if image.mode.startswith(("I", "F")):
        return _grey_to_rgb(image, *white)
    if image.mode == "La":
        return _over_grey(image.convert("LA"))
    if image.has_transparency_data:
        return _over_grey(image)
    return image.copy() if image.mode == "RGB" else image.convert("RGB")


def _white(image: Image.Image) -> tuple[int, bool]:
    """The white of grey values above 8 bits, and whether 0 is white instead.

    Raises UnusableImageError where the file does not say what white is.
    """
    deep = image.mode.startswith(("I", "F"))
    if image.format == "TIFF" and not deep and _is_signed(image):
        raise UnusableImageError("no defined white", "signed values")
    if not deep:
        return 255, False
    if image.format != "TIFF":
        if image.mode == "F":
            raise UnusableImageError("no defined white", "floating-point grey values")
        return MAX_GREY, False
    tags = image.tag_v2  # type: ignore[attr-defined]  # of TIFF images
    bits = tags.get(_BITS_PER_SAMPLE, (1,))[0]
    if image.mode == "F" or bits > 16 or tags.get(_SAMPLE_FORMAT, (1,))[0] != 1:
        raise UnusableImageError("no defined white", f"{bits}-bit or signed grey values")
    return (1 << bits) - 1, tags.get(_PHOTOMETRIC) == 0


def _is_signed(image: Image.Image) -> bool:
    """Whether a TIFF's samples are signed, which Pillow reads as if they were not."""
    return _SIGNED in image.tag_v2.get(_SAMPLE_FORMAT, ())  # type: ignore[attr-defined]


def _restore_transparency(image: Image.Image, data: bytes) -> None:
    """Make a PNG's transparent colour fit samples that Pillow has scaled to 8 bits."""
    depth, colour = transparent_colour(data)
    if "transparency" not in image.info or not colour:
        return
    if depth < 8 and len(colour) == 1:
        image.info["transparency"] = colour[0] * 255 // ((1 << depth) - 1)
    elif len(colour) == 1 or depth == 8:
        image.info["transparency"] = colour if len(colour) == 3 else colour[0]
    else:
        del image.info["transparency"]
        high, low = np.asarray(image), _low_bytes(data)
        same = ((high.astype(np.uint16) << 8 | low) == np.array(colour, np.uint16)).all(axis=2)
        image.paste(MID_GREY, mask=Image.fromarray(same))


def _low_bytes(data: bytes) -> UInt8[np.ndarray, "row col 3"]:
    """The second byte of each 16-bit sample of a PNG, of which Pillow gives the first."""
    with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
        image.tile = [tile._replace(args="RGB;16L") for tile in image.tile]
        return np.asarray(image)


def _grey_to_rgb(image: Image.Image, white: int, inverted: bool) -> Image.Image:
    """Grey of up to 16 bits as RGB; a transparent grey value becomes mid grey."""
    levels = ((np.arange(white + 1) * 510 + white) // (2 * white)).astype(np.uint8)
    levels = levels[::-1] if inverted else levels
    transparent = image.info.get("transparency", -1)
    shown = Image.new("RGB", image.size)
    for top in range(0, image.height, STRIP):
        values = np.asarray(image.crop((0, top, image.width, min(top + STRIP, image.height))))
        if values.min() < 0 or values.max() > white:
            raise UnusableImageError("no defined white", f"a grey value above {white}")
        grey = levels[values]
        grey[values == transparent] = MID_GREY[0]
        shown.paste(Image.fromarray(grey).convert("RGB"), (0, top))
    return shown


def _over_grey(image: Image.Image) -> Image.Image:
    """Transparency over mid grey, in strips: a whole RGBA ground would double the memory."""
    shown = Image.new("RGB", image.size)
    for top in range(0, image.height, STRIP):
        layer = image.crop((0, top, image.width, min(top + STRIP, image.height)))
        layer = layer.convert("RGBA")
        ground = Image.new("RGBA", layer.size, (*MID_GREY, 255))
        shown.paste(Image.alpha_composite(ground, layer).convert("RGB"), (0, top))
    return shown
