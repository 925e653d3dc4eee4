"""One candidate, against hashes and sizes known beforehand."""

import hashlib
import os

import pytest
from PIL import Image

from pipeline.dataset.members import MAX_BYTES
from pipeline.dataset.store import FolderStore
from pipeline.sources.inspection import Inspection, inspect
from pipeline.sources.protocol import Candidate
from pipeline.sources.rejected import Rejection


def candidate(path):
    return Candidate("train", path, "cat")


def test_an_image_gives_its_upright_size_and_the_hash_of_its_bytes(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (30, 20)).save(tmp_path / "turned.jpg", exif=exif)
    digest = hashlib.sha256((tmp_path / "turned.jpg").read_bytes()).hexdigest()
    assert inspect(FolderStore(tmp_path), candidate("turned.jpg")) == Inspection(20, 30, digest)


@pytest.mark.parametrize(
    ("name", "stray"),
    [("page.jpg", False), ("PHOTO.JPEG", False), ("live.heic", False), ("notes.txt", True)],
)
def test_no_image_is_a_stray_only_if_its_name_promises_none(tmp_path, name, stray):
    (tmp_path / name).write_bytes(b"<html>")
    expected = Rejection(name, "no image: it is text such as HTML", stray)
    assert inspect(FolderStore(tmp_path), candidate(name)) == expected


def test_an_image_is_used_whatever_its_name(tmp_path):
    Image.new("RGB", (3, 2)).save(tmp_path / "picture", "PNG")
    (tmp_path / "picture").rename(tmp_path / "notes.txt")
    assert isinstance(inspect(FolderStore(tmp_path), candidate("notes.txt")), Inspection)


@pytest.mark.parametrize(("name", "stray"), [("none.jpg", False), ("none.txt", True)])
def test_an_empty_file_counts_if_it_is_named_as_a_picture(tmp_path, name, stray):
    (tmp_path / name).touch()
    assert inspect(FolderStore(tmp_path), candidate(name)) == Rejection(name, "empty file", stray)


def test_a_file_that_has_gone_is_listed(tmp_path):
    expected = Rejection("gone.jpg", "unreadable: No such file or directory", False)
    assert inspect(FolderStore(tmp_path), candidate("gone.jpg")) == expected


def test_a_file_that_may_not_be_read_is_listed(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, os.strerror(13))

    monkeypatch.setattr(FolderStore, "read", refuse)
    expected = Rejection("secret.jpg", "unreadable: Permission denied", False)
    assert inspect(FolderStore(tmp_path), candidate("secret.jpg")) == expected


def test_a_huge_file_is_not_read(tmp_path):
    with (tmp_path / "backup.tar").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    reason = "too large: 268435457 bytes, more than 256 MiB"
    assert inspect(FolderStore(tmp_path), candidate("backup.tar")) == Rejection(
        "backup.tar", reason, True
    )
