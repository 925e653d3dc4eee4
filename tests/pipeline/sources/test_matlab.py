"""The devkit's meta.mat, against files written by the format's description."""

import struct
import zlib

import pytest

from pipeline.sources.matlab import synsets
from tests.pipeline.sources.matlab_files import array, element, meta_mat, number, small_number

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
