"""The devkit's meta.mat: the WordNet id of each class number, from a MATLAB 5 file."""

import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_HEADER_BYTES = 128
_MATRIX, _COMPRESSED = 14, 15
_NUMBERS = {1: "b", 2: "B", 3: "h", 4: "H", 5: "i", 6: "I", 7: "f", 9: "d", 12: "q", 13: "Q"}
_STRUCT_CLASS = 2


@dataclass(frozen=True)
class _Element:
    kind: int
    body: bytes


def synsets(data: bytes) -> Mapping[int, str]:
    """The WordNet ids of the array `synsets`, by `ILSVRC2012_ID`.

    Raises ValueError, LookupError, struct.error or zlib.error for another file.
    """
    for element in _elements(data[_HEADER_BYTES:]):
        if element.kind == _COMPRESSED:
            element = next(_elements(zlib.decompress(element.body)), _Element(0, b""))
        try:
            name, fields = _struct_array(element.body)
        except StopIteration:
            raise ValueError("an array lacks its end") from None
        if name == "synsets":
            ids, wnids = fields["ILSVRC2012_ID"], fields["WNID"]
            return {int(_numbers(i)[0]): _text(w) for i, w in zip(ids, wnids, strict=True)}
    raise ValueError("it has no array `synsets`")


def _elements(data: bytes) -> Iterator[_Element]:
    """The elements of a file or of an array, one after the other, each on 8 bytes."""
    place = 0
    while place + 8 <= len(data):
        kind, size = struct.unpack_from("<II", data, place)
        if kind >> 16:  # up to four bytes are in the place of the size
            yield _Element(kind & 0xFFFF, data[place + 4 : place + 4 + (kind >> 16)])
            place += 8
            continue
        yield _Element(kind, data[place + 8 : place + 8 + size])
        place += 8 + size
        if kind != _COMPRESSED:
            place += -size % 8


def _struct_array(body: bytes) -> tuple[str, dict[str, list[bytes]]]:
    """The name of a struct array, and the arrays in each of its fields."""
    parts = _elements(body)
    flags = next(parts).body
    if flags[0] != _STRUCT_CLASS:
        return "", {}
    next(parts)  # its dimensions
    name = next(parts).body.decode("ascii")
    (width,) = struct.unpack("<i", next(parts).body)
    names = next(parts).body
    fields = [
        names[start : start + width].split(b"\0")[0].decode("ascii")
        for start in range(0, len(names), width)
    ]
    values = [part.body for part in parts if part.kind == _MATRIX]
    return name, {field: values[n :: len(fields)] for n, field in enumerate(fields)}


def _content(array: bytes) -> _Element:
    """The numbers or characters of an array: after flags, dimensions and name."""
    return list(_elements(array))[3]


def _numbers(array: bytes) -> tuple[int | float, ...]:
    content = _content(array)
    letter = _NUMBERS[content.kind]
    return struct.unpack(f"<{len(content.body) // struct.calcsize(letter)}{letter}", content.body)


def _text(array: bytes) -> str:
    content = _content(array)
    return content.body.decode("utf-16-le" if content.kind in (4, 17) else "utf-8")
