import os
import shutil

import pytest

from pipeline.errors import AtlasError
from pipeline.progress import no_progress
from pipeline.sources.rejected import Rejection
from pipeline.sources.trees import (
    LINK_LOOP,
    File,
    FolderTree,
    IndexedTree,
    inside,
    is_hidden,
    readable,
    sorted_out,
)
from tests.pipeline.sources.folders import refused, touch


def test_a_folder_s_names_are_sorted_bytewise_and_folders_are_distinguished(tmp_path):
    touch(tmp_path, ["b.jpg", "a/x.jpg", "Z.txt"])
    assert list(FolderTree(tmp_path).names("").items()) == [
        ("Z.txt", False),
        ("a", True),
        ("b.jpg", False),
    ]


def test_all_files_are_listed_in_one_order_and_what_is_none_is_rejected(tmp_path):
    touch(tmp_path, ["b/2.jpg", "a/1.jpg", "a-b/3.jpg", ".hidden/4.jpg", "a/.5.jpg"])
    (tmp_path / "b" / "gone.jpg").symlink_to(tmp_path / "nothing")
    (tmp_path / "b" / "up").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "linked").symlink_to(tmp_path / "a")
    counted = []
    listing = FolderTree(tmp_path).files("", counted.append)
    assert [file.path for file in listing.files] == [
        "a-b/3.jpg",
        "a/1.jpg",
        "b/2.jpg",
        "linked/1.jpg",
    ]
    assert refused(listing.rejected) == {
        ".hidden": ("hidden", True),
        "a/.5.jpg": ("hidden", True),
        "linked/.5.jpg": ("hidden", True),
        "b/gone.jpg": ("link to nothing", False),
        "b/up": (LINK_LOOP, True),
        "pipe": ("no regular file", True),
    }
    assert sum(counted) == 10


def test_a_stamp_changes_with_the_file(tmp_path):
    touch(tmp_path, ["a.jpg"])
    (before,) = FolderTree(tmp_path).files("", no_progress).files
    (tmp_path / "a.jpg").write_bytes(b"more")
    (after,) = FolderTree(tmp_path).files("", no_progress).files
    assert before.stamp != after.stamp
    assert FolderTree(tmp_path).files("", no_progress).files == [after]


def test_a_folder_that_cannot_be_listed_is_named(tmp_path):
    with pytest.raises(AtlasError, match="none cannot be listed: No such file"):
        FolderTree(tmp_path).names("none")


def test_names_that_are_no_utf8_are_shown_by_their_bytes():
    assert readable(b"caf\xe9.jpg") == "caf\\xe9.jpg"
    assert readable("café.jpg".encode()) == "café.jpg"


def test_what_file_systems_leave_behind_is_hidden():
    names = (".git", "__MACOSX", "lost+found", "cat", "_cat")
    assert [is_hidden(name) for name in names] == [True, True, True, False, False]
    assert inside("", "a") == "a"
    assert inside("a", "b") == "a/b"


INDEXED = IndexedTree(
    "photos.zip",
    sorted_out(
        [
            File("b/2.jpg", ""),
            File("a/1.jpg", ""),
            File("a/.x/5.jpg", ""),
            File("a/.x/6.jpg", ""),
            Rejection("c/3.jpg", "encrypted", False),
            File("a-b/4.jpg", ""),
        ]
    ),
)


def test_members_are_sorted_bytewise_and_a_hidden_folder_is_said_once():
    assert [file.path for file in INDEXED.listing.files] == ["a-b/4.jpg", "a/1.jpg", "b/2.jpg"]
    assert refused(INDEXED.listing.rejected) == {
        "c/3.jpg": ("encrypted", False),
        "a/.x": ("hidden", True),
    }


def test_folders_of_members_are_those_of_their_paths():
    assert INDEXED.names("") == {"a": True, "a-b": True, "b": True, "c": True}
    assert INDEXED.names("a") == {".x": False, "1.jpg": False}
    assert [file.path for file in INDEXED.files("a", no_progress).files] == ["a/1.jpg"]
    with pytest.raises(AtlasError, match=r"photos\.zip holds no folder 'd'"):
        INDEXED.names("d")
    with pytest.raises(AtlasError, match="holds no files"):
        IndexedTree("empty.zip", sorted_out([])).names("")


def test_a_folder_that_goes_while_it_is_listed_is_rejected(tmp_path, monkeypatch):
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.jpg").touch()
    known = os.stat

    def gone(path, *more, **options):
        if path == bytes(tmp_path / "dog"):
            shutil.rmtree(tmp_path / "dog")
        return known(path, *more, **options)

    monkeypatch.setattr(os, "stat", gone)
    listing = FolderTree(tmp_path).files("", no_progress)
    assert [file.path for file in listing.files] == ["cat/1.jpg"]
    reason = "unreadable folder: No such file or directory"
    assert listing.rejected == [Rejection("dog", reason, stray=False)]
