"""Grey TIFFs of every depth and polarity, packed by hand from the specification (TIFF 6.0)."""

import struct

import numpy as np
import pytest

from pipeline.dataset.images import UnusableImageError, load_image

WHITE_IS_ZERO, BLACK_IS_ZERO = 0, 1
SHADES = np.linspace(0, 1, 24).reshape(4, 6)
"""The picture: from black to white along its rows."""
BEYOND_PILLOW = {(12, 0, "<"), (12, 0, ">"), (12, 1, ">"), (16, 0, ">")}
"""Depth, polarity and byte order of files that Pillow does not identify."""


def packed(values: np.ndarray, bits: int, order: str) -> bytes:
    """Rows of samples, each row from a new byte; from the highest bit on where they share bytes."""
    if bits == 16:
        return values.astype(f"{order}u2").tobytes()
    rows = ["".join(f"{value:0{bits}b}" for value in row) for row in values]
    rows = [row + "0" * (-len(row) % 8) for row in rows]
    return b"".join(int(row, 2).to_bytes(len(row) // 8, "big") for row in rows)


def tiff(values: np.ndarray, bits: int, polarity: int, order: str) -> bytes:
    """An uncompressed file of one strip, its directory after the pixels."""
    data = packed(values, bits, order)
    data += b"\0" * (len(data) % 2)
    height, width = values.shape
    tags = {256: width, 257: height, 258: bits, 259: 1, 262: polarity}
    tags |= {273: 8, 277: 1, 278: height, 279: len(data)}
    directory = b"".join(
        struct.pack(f"{order}HHI", tag, 4, 1) + struct.pack(f"{order}I", value)
        for tag, value in tags.items()
    )
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, 8 + len(data))
    return head + data + struct.pack(f"{order}H", len(tags)) + directory + bytes(4)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("polarity", [WHITE_IS_ZERO, BLACK_IS_ZERO])
@pytest.mark.parametrize("bits", [1, 2, 4, 8, 12, 16])
def test_white_is_white_at_every_depth_and_polarity_or_the_file_is_refused(bits, polarity, order):
    white = (1 << bits) - 1
    levels = np.floor(SHADES * white + 0.5).astype(int)
    data = tiff(levels if polarity == BLACK_IS_ZERO else white - levels, bits, polarity, order)
    if (bits, polarity, order) in BEYOND_PILLOW:
        with pytest.raises(UnusableImageError, match="damaged: TIFF of an unknown kind"):
            load_image(data)
        return
    expected = np.floor(levels * 255 / white + 0.5)
    assert np.array_equal(np.asarray(load_image(data)), np.repeat(expected[..., None], 3, axis=2))
