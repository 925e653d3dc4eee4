"""Images against arithmetic on known pixels."""

import io
import zlib

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from pipeline.dataset.images import UnusableImageError, load_image

RNG = np.random.default_rng(7)
NOISE = RNG.integers(0, 256, (37, 53, 3)).astype(np.uint8)
"""Height 37, width 53."""
SIXTEEN = RNG.integers(0, 1 << 16, (9, 11)).astype(np.uint16)


def encoded(image, kind="PNG", **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def pixels(data):
    image = load_image(data)
    assert image.mode == "RGB"
    return np.asarray(image)


def chunk(name, data):
    body = name + data
    return len(data).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")


def png(width, height, depth, colour, scanlines, *extra):
    """A PNG written by hand, for what Pillow does not write."""
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([depth, colour, 0, 0, 0])
    parts = [chunk(b"IHDR", header), *extra, chunk(b"IDAT", zlib.compress(scanlines))]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts) + chunk(b"IEND", b"")


def scanlines(values):
    """Rows of big-endian 16-bit samples, each after the byte of filter 0."""
    return b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)


def reason(data):
    with pytest.raises(UnusableImageError) as caught:
        load_image(data)
    return str(caught.value)


def outcome(data):
    try:
        return load_image(data).mode
    except UnusableImageError as error:
        return str(error)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "PPM", "TIFF"])
def test_lossless_formats_keep_every_pixel(kind):
    assert np.array_equal(pixels(encoded(Image.fromarray(NOISE), kind)), NOISE)


@pytest.mark.parametrize("options", [{}, {"progressive": True}])
def test_jpeg_decodes_as_pillow_does(options):
    data = encoded(Image.fromarray(NOISE), "JPEG", quality=90, **options)
    assert np.array_equal(pixels(data), np.asarray(Image.open(io.BytesIO(data))))


def test_the_first_picture_of_a_stereo_pair_counts():
    left, right = Image.fromarray(NOISE), Image.fromarray(255 - NOISE)
    pair = encoded(left, "MPO", save_all=True, append_images=[right])
    assert np.array_equal(pixels(pair), pixels(encoded(left, "JPEG")))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_exif_orientation_is_applied(kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    lossless = {"WEBP": {"lossless": True}, "JPEG": {"quality": 95}}.get(kind, {})
    data = encoded(Image.fromarray(NOISE), kind, exif=exif, **lossless)
    plain = pixels(encoded(Image.fromarray(NOISE), kind, **lossless))
    upright = {
        1: plain,
        2: plain[:, ::-1],
        3: plain[::-1, ::-1],
        4: plain[::-1],
        5: plain.transpose(1, 0, 2),
        6: np.rot90(plain, -1),
        7: plain[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(plain, 1),
    }
    assert np.array_equal(pixels(data), upright[orientation])


def test_orientation_out_of_range_is_ignored():
    exif = Image.Exif()
    exif[0x0112] = 9
    data = encoded(Image.fromarray(NOISE), "PNG", exif=exif)
    assert np.array_equal(pixels(data), NOISE)


@pytest.mark.filterwarnings("ignore::UserWarning")  # of Pillow, as images.py has it
@pytest.mark.parametrize(
    "exif", [b"garbage", b"", b"MM\0*\0\0\0\x08\0\1", b"II*\0\xff\xff\xff\xff"]
)
def test_pixels_are_used_whatever_the_metadata_are(exif):
    data = encoded(Image.fromarray(NOISE))
    assert np.array_equal(pixels(data[:33] + chunk(b"eXIf", exif) + data[33:]), NOISE)
    lossless = {"lossless": True, "exact": True}
    for kind, options in (("WEBP", lossless), ("JPEG", {})):
        plain = pixels(encoded(Image.fromarray(NOISE), kind, **options))
        data = encoded(Image.fromarray(NOISE), kind, exif=b"Exif\0\0" + exif, **options)
        assert np.array_equal(pixels(data), plain)


def test_signed_values_have_no_defined_white():
    signed = TiffImagePlugin.ImageFileDirectory_v2()
    signed[339] = 2
    data = encoded(Image.fromarray(NOISE[..., 0]), "TIFF", tiffinfo=signed)
    assert reason(data) == "no defined white: signed values"


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PPM"])
def test_16_bit_grey_is_scaled_by_257(kind):
    grey = np.rint(SIXTEEN / 257)
    assert np.array_equal(pixels(encoded(Image.fromarray(SIXTEEN), kind))[..., 1], grey)


def test_16_bit_grey_lies_over_mid_grey_where_it_is_transparent():
    values = np.array([[1000, 40000, 1000]])
    key = chunk(b"tRNS", (1000).to_bytes(2, "big"))
    shown = pixels(png(3, 1, 16, 0, scanlines(values), key))
    assert shown[0, :, 0].tolist() == [128, round(40000 / 257), 128]


def test_16_bit_colour_loses_at_most_a_level():
    values = RNG.integers(0, 1 << 16, (5, 4 * 3))
    shown = pixels(png(4, 5, 16, 2, scanlines(values)))
    assert np.abs(shown.reshape(5, 12) - values / 257).max() <= 1


@pytest.mark.parametrize("values", [np.float32([[0.0, 1.0]]), np.int32([[0, 1 << 20]])])
def test_grey_of_more_than_16_bits_has_no_defined_white(values):
    assert reason(encoded(Image.fromarray(values), "TIFF")).startswith("no defined white")


def test_alpha_lies_over_mid_grey():
    rgba = Image.new("RGBA", (3, 1), (255, 0, 0, 0))
    rgba.putpixel((1, 0), (255, 0, 0, 255))
    rgba.putpixel((2, 0), (255, 0, 0, 128))
    shown = pixels(encoded(rgba)).astype(int)[0]
    assert shown[0].tolist() == [128, 128, 128]
    assert shown[1].tolist() == [255, 0, 0]
    assert np.abs(shown[2] - [192, 64, 64]).max() <= 1


def test_grey_with_alpha_lies_over_mid_grey():
    la = Image.new("LA", (2, 1), (10, 0))
    la.putpixel((1, 0), (10, 255))
    assert pixels(encoded(la))[0].tolist() == [[128] * 3, [10] * 3]


def test_transparent_palette_entry_lies_over_mid_grey():
    paletted = Image.new("P", (2, 1))
    paletted.putpalette([200, 0, 0, 0, 200, 0])
    paletted.putpixel((1, 0), 1)
    assert pixels(encoded(paletted))[0].tolist() == [[200, 0, 0], [0, 200, 0]]
    transparent = pixels(encoded(paletted, transparency=0))
    assert transparent[0].tolist() == [[128, 128, 128], [0, 200, 0]]


def test_first_frame_of_an_animation_counts():
    red, blue = (Image.new("RGB", (4, 4), colour) for colour in ("red", "blue"))
    data = encoded(red, "GIF", save_all=True, append_images=[blue])
    assert pixels(data)[0, 0].tolist() == [255, 0, 0]


def test_cmyk_becomes_rgb():
    cyan = Image.new("CMYK", (8, 8), (255, 0, 0, 0))
    assert np.abs(pixels(encoded(cyan, "TIFF")).astype(int) - [0, 255, 255]).max() == 0


def test_black_and_white_becomes_rgb():
    assert pixels(encoded(Image.new("1", (2, 2), 1))).min() == 255


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "empty file"),
        (b"<!DOCTYPE html><html>", "no image: it is text such as HTML"),
        (b"root:x:0:0:root:/root", "no image: it is text"),
        (b"\0\1secret\2", "no image: its format is none of photographs"),
        (b"version https://git-lfs", "no image: it is a Git LFS pointer"),
    ],
)
def test_what_is_not_an_image_says_what_it_is(data, expected):
    assert reason(data) == expected


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "TIFF"])
def test_truncated_files_are_refused(kind):
    data = encoded(Image.fromarray(np.tile(NOISE, (4, 4, 1))), kind)
    assert reason(data[: len(data) // 2]).partition(":")[0] in ("truncated", "damaged")


def test_a_jpeg_that_lacks_its_end_is_truncated():
    data = encoded(Image.fromarray(np.tile(NOISE, (4, 4, 1))), "JPEG")
    assert reason(data[: len(data) // 2]).startswith("truncated: ")


def test_a_flipped_bit_in_a_png_is_refused():
    data = bytearray(encoded(Image.fromarray(NOISE)))
    data[len(data) // 2] ^= 1
    assert reason(bytes(data)).startswith("damaged: ")


@pytest.mark.parametrize("side", [10_000, 60_000])
def test_a_bomb_is_refused_before_it_is_decoded(side, monkeypatch):
    def decode(self):
        raise AssertionError("decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", decode)
    data = png(side, side, 8, 2, b"")
    assert reason(data).startswith("too many pixels: ")


def test_programs_are_not_run_for_postscript():
    assert reason(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n").startswith("no image")


@pytest.mark.filterwarnings("ignore")  # Pillow warns of some kinds of damage
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "JPEG2000"])
def test_damage_is_refused_or_decoded_but_never_anything_else(kind):
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "named"
    options = {"exif": exif} if kind in ("JPEG", "PNG", "TIFF", "WEBP") else {}
    whole = encoded(Image.fromarray(NOISE), kind, **options)
    rng = np.random.default_rng(3)
    for _ in range(300):
        data = bytearray(whole)
        for place in rng.integers(0, min(len(data), rng.choice([64, 400, len(data)])), 4):
            data[place] = rng.integers(256)
        said = outcome(bytes(data))
        assert " object at 0x" not in said
        assert "\n" not in said


def test_libtiff_says_nothing_of_a_damaged_file_itself(capfd):
    """Its tag RowsPerStrip, 278, is made to count two values where libtiff wants one."""
    data = encoded(Image.fromarray(NOISE), "TIFF", compression="tiff_lzw")
    tag = (278).to_bytes(2, "little") + (3).to_bytes(2, "little")
    assert data.count(tag + b"\1\0\0\0") == 1
    assert reason(data.replace(tag + b"\1\0\0\0", tag + b"\2\0\0\0")).startswith("damaged")
    assert capfd.readouterr() == ("", "")
