"""Files as MATLAB writes them, made by the description of its format."""

import struct
import zlib


def element(kind, body):
    return struct.pack("<II", kind, len(body)) + body + bytes(-len(body) % 8)


def array(class_, content, dims=(1, 1), name=b""):
    head = element(6, struct.pack("<II", class_, 0)) + element(5, struct.pack("<2i", *dims))
    return element(14, head + element(1, name) + content)


def number(value):
    return array(6, element(9, struct.pack("<d", value)))


def small_number(value):
    return array(9, struct.pack("<HHI", 2, 1, value))


def text(value):
    return array(4, element(4, value.encode("utf-16-le")), (1, len(value)))


def meta_mat(rows, *, compressed, numbers=number):
    names = [b"ILSVRC2012_ID", b"WNID", b"words"]
    fields = struct.pack("<HHi", 5, 4, 32) + element(1, b"".join(n.ljust(32, b"\0") for n in names))
    values = b"".join(numbers(i) + text(wnid) + text(words) for i, wnid, words in rows)
    body = array(2, fields + values, (len(rows), 1), b"synsets")
    if compressed:
        data = zlib.compress(body)
        body = struct.pack("<II", 15, len(data)) + data
    return b"MATLAB 5.0 MAT-file".ljust(124) + b"\0\1IM" + body
