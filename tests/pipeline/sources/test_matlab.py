"""The devkit's meta.mat, against files written by the format's description."""

import struct
import zlib

import pytest

from pipeline.sources.matlab import synsets


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


ROWS = [(1, "n02119789", "kit fox"), (2, "n02100735", "English setter"), (3, "n01440764", "tench")]


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("numbers", [number, small_number])
def test_each_number_has_its_wordnet_id(compressed, numbers):
    assert synsets(meta_mat(ROWS, compressed=compressed, numbers=numbers)) == {
        1: "n02119789",
        2: "n02100735",
        3: "n01440764",
    }


@pytest.mark.parametrize("data", [b"", b"MATLAB 5.0".ljust(128) + array(6, element(9, bytes(8)))])
def test_a_file_without_the_array_is_refused(data):
    with pytest.raises(ValueError, match="no array"):
        synsets(data)


def test_damage_is_one_of_the_known_errors():
    whole = meta_mat(ROWS, compressed=True)
    for place in range(128, len(whole), 3):
        damaged = bytearray(whole)
        damaged[place] ^= 0x55
        try:
            synsets(bytes(damaged))
        except (ValueError, LookupError, struct.error, zlib.error):
            continue
