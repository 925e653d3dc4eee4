import struct
import zlib

from pipeline.dataset.png import SIGNATURE, transparent_colour, without_metadata


def chunk(kind, body=b""):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def header(depth=8, colour_type=2):
    return chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, depth, colour_type, 0, 0, 0))


DATA, END = chunk(b"IDAT", zlib.compress(bytes(4))), chunk(b"IEND")


def file(*chunks, first=None):
    return b"".join([SIGNATURE, first or header(), *chunks, DATA, END])


def test_chunks_that_decide_pixels_or_orientation_stay_and_others_go():
    kept = (chunk(b"tRNS", bytes(6)), chunk(b"eXIf", b"II"), chunk(b"tEXt", b"key\0small"))
    gone = (chunk(b"iCCP", b"damaged"), chunk(b"tIME", bytes(7)))
    assert without_metadata(file(*kept, *gone)) == file(*kept)


def test_a_critical_chunk_that_is_not_known_stays_to_be_refused():
    strange = chunk(b"ABCD", b"?")
    assert without_metadata(file(strange)) == file(strange)


def test_texts_that_are_large_damaged_or_swell_go():
    large = chunk(b"tEXt", b"key\0" + bytes(1 << 18))
    damaged = chunk(b"tEXt", b"key\0text")[:-1] + b"\0"
    swelling = chunk(b"zTXt", b"key\0\0" + zlib.compress(bytes(1 << 20)))
    unpackable = chunk(b"zTXt", b"key\0\0no stream")
    small = chunk(b"zTXt", b"key\0\0" + zlib.compress(b"text"))
    both = chunk(b"iTXt", b"key\0\1\0en\0key\0" + zlib.compress(b"text"))
    hidden = chunk(b"iTXt", b"key\0\1\0en\0key\0" + zlib.compress(bytes(1 << 20)))
    found = without_metadata(file(large, damaged, swelling, unpackable, small, both, hidden))
    assert found == file(small, both)


def test_many_small_texts_stay_up_to_a_limit_in_all():
    text = chunk(b"tEXt", b"key\0" + bytes((1 << 17) - 4))
    assert without_metadata(file(text, text, text)) == file(text, text)


def test_texts_count_as_what_they_inflate_to():
    half = chunk(b"zTXt", b"key\0\0" + zlib.compress(bytes((1 << 17) - 1000)))
    assert without_metadata(file(*[half] * 1000)) == file(half, half)


def test_orientation_whose_checksum_is_wrong_goes():
    exif = chunk(b"eXIf", b"II")
    assert exif[-1] != 0
    assert without_metadata(file(exif[:-1] + b"\0")) == file()


def test_a_truncated_file_stays_truncated_and_what_follows_the_end_goes():
    whole = file()
    assert without_metadata(whole[:-6]) == whole[:-6]
    assert without_metadata(whole + b"more") == whole


def test_the_transparent_colour_is_in_the_file_s_own_samples():
    sixteen = header(16, 2)
    rgb = chunk(b"tRNS", struct.pack(">HHH", 1, 258, 65535))
    assert transparent_colour(file(rgb, first=sixteen)) == (16, (1, 258, 65535))
    grey = chunk(b"tRNS", struct.pack(">H", 0x0103))
    assert transparent_colour(file(grey, first=header(8, 0))) == (8, (3,))
    assert transparent_colour(file(first=header(4, 0))) == (4, ())
    assert transparent_colour(file(chunk(b"tRNS", b"\1"), first=header(8, 3))) == (8, ())
    text = chunk(b"tEXt", b"key\0of tRNS\1\1")
    assert transparent_colour(file(text, grey, first=header(8, 0))) == (8, (3,))
    assert transparent_colour(file(text, first=header(8, 0))) == (8, ())
