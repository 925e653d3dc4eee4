"""PNG files without what decoders may ignore, and their transparent colour."""

import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KEPT = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"eXIf"})
_TEXT = frozenset({b"tEXt", b"zTXt", b"iTXt"})
_TEXT_BYTES = 1 << 18
"""Text chunks are kept up to so many bytes in all: one may hold the EXIF orientation."""
_INFLATED = 1 << 19
"""A text chunk that inflates to more is dropped."""


def without_metadata(data: bytes) -> bytes:
    """The file with the chunks that decide its pixels and orientation, and small texts.

    An ancillary chunk may be ignored (PNG specification, 14.2), but Pillow refuses files whose
    text or colour profile is large or damaged. What is not a whole chunk stays as it is, so that a
    truncated file is refused as truncated.
    """
    parts, place, texts = [SIGNATURE], len(SIGNATURE), 0
    while place + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        end = place + 12 + length
        if end > len(data):
            break
        if kind in _TEXT and _is_harmless(data[place + 8 : end - 4], kind, data[place + 4 : end]):
            texts += length
            kept = texts <= _TEXT_BYTES
        else:
            kept = kind in _KEPT or not kind[0] & 0x20
        if kept:
            parts.append(data[place:end])
        place = end
        if kind == b"IEND":
            return b"".join(parts)
    return b"".join([*parts, data[place:]])


def _is_harmless(body: bytes, kind: bytes, checked: bytes) -> bool:
    """Whether a text chunk is whole and stays small when inflated."""
    if zlib.crc32(checked[:-4]) != int.from_bytes(checked[-4:], "big"):
        return False
    if len(body) > _TEXT_BYTES:
        return False
    inflate = zlib.decompressobj()
    compressed = body.partition(b"\0")[2][1:]
    if kind == b"iTXt":
        compressed = compressed[1:].partition(b"\0")[2].partition(b"\0")[2]
    if kind == b"tEXt" or (kind == b"iTXt" and body.partition(b"\0")[2][:1] != b"\1"):
        return True
    try:
        return len(inflate.decompress(compressed, _INFLATED)) < _INFLATED
    except zlib.error:
        return False


def transparent_colour(data: bytes) -> tuple[int, tuple[int, ...]]:
    """Bit depth and transparent grey or colour, in the file's own samples.

    No colour where the file has none, or has a palette. Pillow compares samples that it has scaled
    to 8 bits with this value as it is in the file.
    """
    depth, colour_type = data[24], data[25]
    found = data.find(b"tRNS", len(SIGNATURE))
    if colour_type not in (0, 2) or found < 0:
        return depth, ()
    samples = 3 if colour_type == 2 else 1
    values = struct.unpack_from(f">{samples}H", data, found + 4)
    return depth, tuple(value & ((1 << depth) - 1) for value in values)
