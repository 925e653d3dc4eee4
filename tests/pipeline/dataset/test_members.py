"""Images inside archives and tables, read by their positions without unpacking anything."""

import io
import json
import tarfile
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.dataset import members
from pipeline.dataset.members import (
    TooLargeError,
    is_archive,
    is_row,
    key_of,
    read_member,
    row_position,
    split_key,
    tar_position,
    zip_position,
)
from pipeline.dataset.store import FolderStore

IMAGE = bytes(range(256)) * 3


@pytest.fixture
def archives(tmp_path):
    """A tar, a zip and a parquet file with the same image."""
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        for name, data in (("first", b"x"), ("second", IMAGE)):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("stored", IMAGE, zipfile.ZIP_STORED)
        archive.writestr("deflated", IMAGE, zipfile.ZIP_DEFLATED)
    table = pa.table({"image": [{"bytes": b"x", "path": "x"}, {"bytes": IMAGE, "path": "y"}]})
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=1)
    return tmp_path


def test_a_key_is_a_path_and_a_position():
    assert key_of("a/b.jpg", "") == "a/b.jpg"
    assert split_key(key_of("a/b.jpg", "")) == ("a/b.jpg", "")
    assert split_key(key_of("s.tar/b.jpg", "tar:512+3")) == ("s.tar/b.jpg", "tar:512+3")


def test_kinds_are_known_by_names_and_positions():
    assert [is_archive(name) for name in ("a.zip", "A.TAR", "a.tar.gz", "a")] == [
        *(True, True),
        *(False, False),
    ]
    assert is_row(row_position(0, 3, "image"))
    assert not is_row(tar_position(0, 3))


def test_a_member_of_a_tar_shard_is_the_bytes_at_its_place(archives):
    with tarfile.open(archives / "a.tar") as tar:
        member = tar.getmember("second")
    position = tar_position(member.offset_data, member.size)
    store = FolderStore(archives)
    assert read_member(store, "a.tar/second", position) == IMAGE
    with pytest.raises(OSError, match=r"a\.tar is truncated"):
        read_member(store, "a.tar/second", tar_position(member.offset_data, 10**6))


@pytest.mark.parametrize("name", ["stored", "deflated"])
def test_a_member_of_a_zip_file_is_read_as_it_is_kept(archives, name, monkeypatch):
    with zipfile.ZipFile(archives / "a.zip") as archive:
        info = archive.getinfo(name)
    position = zip_position(info.header_offset, info.compress_size, info.compress_type)
    store = FolderStore(archives / "a.zip")
    assert read_member(store, name, position) == IMAGE
    if name == "deflated":
        with pytest.raises(OSError, match="damaged in the archive"):
            read_member(store, name, zip_position(0, info.compress_size, 8))
        monkeypatch.setattr(members, "MAX_BYTES", 100)
        with pytest.raises(TooLargeError, match="101 bytes"):
            read_member(store, name, position)


def test_a_row_of_a_parquet_file_is_the_bytes_of_its_group(archives):
    store = FolderStore(archives)
    assert read_member(store, "a.parquet/1", row_position(1, 0, "image")) == IMAGE
    for position, words in (
        (row_position(1, 1, "image"), "has no row 1 in group 1"),
        (row_position(9, 0, "image"), "cannot be read"),
        (row_position(1, 0, "photo"), r"a\.parquet has no column 'photo' of images"),
    ):
        with pytest.raises(OSError, match=words):
            read_member(store, "a.parquet/1", position)


def test_a_position_of_another_kind_is_not_a_place():
    with pytest.raises(OSError, match="position 'rar:1' is not understood"):
        read_member(FolderStore.__new__(FolderStore), "a", "rar:1")


def test_a_row_without_an_image_is_an_error(tmp_path):
    table = pa.table({"image": pa.array([{"bytes": None, "path": json.dumps("x")}])})
    pq.write_table(table, tmp_path / "b.parquet")
    with pytest.raises(OSError, match="no image"):
        read_member(FolderStore(tmp_path), "b.parquet/0", row_position(0, 0, "image"))
