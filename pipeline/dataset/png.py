"""PNG files without what decoders may ignore, and their transparent colour."""

import struct
import zlib
from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KEPT = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"eXIf"})
_TEXT = frozenset({b"tEXt", b"zTXt", b"iTXt"})
_TEXT_BYTES = 1 << 18
"""Text chunks are kept up to so many bytes in all, inflated: one may hold the orientation."""


def without_metadata(data: bytes) -> bytes:
    """The file with the chunks that decide its pixels and orientation, and small texts.

    An ancillary chunk may be ignored (PNG specification, 14.2), but Pillow refuses files whose
    text or colour profile is large or damaged. What is not a whole chunk stays as it is, so that a
    truncated file is refused as truncated.
    """
    parts, texts, rest = [SIGNATURE], 0, len(SIGNATURE)
    for kind, start, rest in _chunks(data):
        if kind in _TEXT:
            size = _text_bytes(data[start + 8 : rest - 4], kind)
            kept = 0 < size <= _TEXT_BYTES - texts and _is_whole(data[start:rest])
            texts += size * kept
        elif kind == b"eXIf":
            kept = _is_whole(data[start:rest])
        else:
            kept = kind in _KEPT or not kind[0] & 0x20
        if kept:
            parts.append(data[start:rest])
        if kind == b"IEND":
            return b"".join(parts)
    return b"".join([*parts, data[rest:]])


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """The whole chunks: the kind of each, and where it starts and ends."""
    start = len(SIGNATURE)
    while start + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, start)
        end = start + 12 + length
        if end > len(data):
            return
        yield kind, start, end
        start = end


def _is_whole(chunk: bytes) -> bool:
    """Whether a chunk's checksum fits."""
    return zlib.crc32(chunk[4:-4]) == int.from_bytes(chunk[-4:], "big")


def _text_bytes(body: bytes, kind: bytes) -> int:
    """How long a text chunk is, inflated where it is compressed; 0 for one to be dropped."""
    compressed = body.partition(b"\0")[2][1:]
    if kind == b"iTXt":
        compressed = compressed[1:].partition(b"\0")[2].partition(b"\0")[2]
    if kind == b"tEXt" or (kind == b"iTXt" and body.partition(b"\0")[2][:1] != b"\1"):
        return len(body)
    if len(body) > _TEXT_BYTES:
        return 0
    try:
        inflated = len(zlib.decompressobj().decompress(compressed, _TEXT_BYTES))
    except zlib.error:
        return 0
    return len(body) + inflated if inflated < _TEXT_BYTES else 0


def transparent_colour(data: bytes) -> tuple[int, tuple[int, ...]]:
    """Bit depth and transparent grey or colour, in the file's own samples.

    No colour where the file has none, or has a palette. Pillow compares samples that it has scaled
    to 8 bits with this value as it is in the file.
    """
    depth, colour_type = data[24], data[25]
    found = next((start for kind, start, _ in _chunks(data) if kind == b"tRNS"), None)
    if colour_type not in (0, 2) or found is None:
        return depth, ()
    samples = 3 if colour_type == 2 else 1
    values = struct.unpack_from(f">{samples}H", data, found + 8)
    return depth, tuple(value & ((1 << depth) - 1) for value in values)
