"""Class folders, with everything in them that real folders have."""

import os

import pytest

from pipeline.errors import AtlasError
from pipeline.progress import no_progress
from pipeline.sources.classes import list_classes
from pipeline.sources.rejected import Rejection
from pipeline.sources.trees import FolderTree
from tests.pipeline.sources.folders import refused, touch


def listed(root, folder=""):
    return list_classes(FolderTree(root), folder, str(root), no_progress)


def paths(classes):
    return {label: [file.path for file in files] for label, files in classes.files.items()}


def test_each_folder_is_a_class_with_its_files_sorted_bytewise(tmp_path):
    touch(tmp_path, ["dog/b.jpg", "dog/B.jpg", "dog/é.jpg", "dog/a.jpg", "cat/1.jpg"])
    assert paths(listed(tmp_path)) == {
        "cat": ["cat/1.jpg"],
        "dog": ["dog/B.jpg", "dog/a.jpg", "dog/b.jpg", "dog/é.jpg"],
    }


def test_paths_start_at_the_root_not_at_the_folder(tmp_path):
    touch(tmp_path, ["in/here/cat/1.jpg"])
    listing = listed(tmp_path, "in/here")
    assert paths(listing) == {"cat": ["in/here/cat/1.jpg"]}


def test_all_files_become_candidates_of_a_split(tmp_path):
    touch(tmp_path, ["cat/1.jpg"])
    (image,) = listed(tmp_path).candidates("val")
    assert (image.split, image.path, image.label) == ("val", "cat/1.jpg", "cat")


def test_folders_inside_a_class_belong_to_it(tmp_path):
    touch(tmp_path, ["cat/tabby/old/1.jpg", "cat/2.jpg"])
    assert paths(listed(tmp_path)) == {"cat": ["cat/2.jpg", "cat/tabby/old/1.jpg"]}


@pytest.mark.parametrize("name", ['a "b" c', "<b>&amp;", "😀", "new\nline", "it's", "%41#?"])
def test_hard_names_are_names(tmp_path, name):
    touch(tmp_path, [f"{name}/{name}.jpg"])
    assert paths(listed(tmp_path)) == {name: [f"{name}/{name}.jpg"]}


def test_hidden_files_and_folders_are_strays(tmp_path):
    touch(tmp_path, ["cat/1.jpg", "cat/.DS_Store", "cat/._1.jpg", ".git/config", "cat/.x/2.jpg"])
    listing = listed(tmp_path)
    assert paths(listing) == {"cat": ["cat/1.jpg"]}
    hidden = {".git", "cat/.DS_Store", "cat/._1.jpg", "cat/.x"}
    assert refused(listing.rejected) == dict.fromkeys(hidden, ("hidden", True))


def test_what_archives_and_servers_leave_behind_is_not_a_class(tmp_path):
    touch(tmp_path, ["cat/1.jpg", "__MACOSX/cat/._1.jpg", "cat/@eaDir/thumb.jpg"])
    listing = listed(tmp_path)
    assert paths(listing) == {"cat": ["cat/1.jpg"]}
    assert set(refused(listing.rejected)) == {"__MACOSX", "cat/@eaDir"}


def test_files_beside_the_class_folders_are_strays(tmp_path):
    touch(tmp_path, ["cat/1.jpg", "README.txt"])
    assert listed(tmp_path).rejected == [
        Rejection("README.txt", "outside every class folder", True)
    ]


def test_names_that_are_no_utf8_are_listed_readably(tmp_path):
    touch(tmp_path, ["cat/1.jpg"])
    for name in (b"caf\xe9.jpg", b"caf\xe9.txt"):
        (tmp_path / "cat" / os.fsdecode(name)).touch()
    assert refused(listed(tmp_path).rejected) == {
        "cat/caf\\xe9.jpg": ("name is not UTF-8", False),
        "cat/caf\\xe9.txt": ("name is not UTF-8", True),
    }


def test_a_class_whose_name_is_not_utf8_is_listed_file_by_file(tmp_path):
    touch(tmp_path, ["cat/1.jpg", os.fsdecode(b"\xff/1.jpg"), os.fsdecode(b"\xff/2.jpg")])
    listing = listed(tmp_path)
    assert list(paths(listing)) == ["cat"]
    assert set(refused(listing.rejected)) == {"\\xff/1.jpg", "\\xff/2.jpg"}


def test_links_are_followed(tmp_path):
    touch(tmp_path, ["elsewhere/1.jpg", "root/cat/0.jpg"])
    (tmp_path / "root/cat/linked.jpg").symlink_to(tmp_path / "elsewhere/1.jpg")
    (tmp_path / "root/dog").symlink_to(tmp_path / "elsewhere")
    assert paths(listed(tmp_path / "root")) == {
        "cat": ["cat/0.jpg", "cat/linked.jpg"],
        "dog": ["dog/1.jpg"],
    }


def test_links_in_a_circle_are_listed_and_not_followed(tmp_path):
    touch(tmp_path, ["cat/1.jpg", "cat/in/2.jpg"])
    (tmp_path / "again").symlink_to(tmp_path)
    (tmp_path / "cat/up").symlink_to(tmp_path / "cat")
    (tmp_path / "cat/in/top").symlink_to("../..")
    (tmp_path / "cat/self.jpg").symlink_to("self.jpg")
    (tmp_path / "cat/gone.jpg").symlink_to("nowhere")
    listing = listed(tmp_path)
    assert paths(listing) == {"cat": ["cat/1.jpg", "cat/in/2.jpg"]}
    back = ("link back to a folder above it", True)
    assert refused(listing.rejected) == {
        "again": back,
        "cat/up": back,
        "cat/in/top": back,
        "cat/self.jpg": ("unreadable: Too many levels of symbolic links", False),
        "cat/gone.jpg": ("link to nothing", False),
    }


def test_pipes_are_never_opened(tmp_path):
    touch(tmp_path, ["cat/1.jpg"])
    os.mkfifo(tmp_path / "cat/pipe")
    os.mkfifo(tmp_path / "cat/pipe.png")
    assert refused(listed(tmp_path).rejected) == {
        "cat/pipe": ("no regular file", True),
        "cat/pipe.png": ("no regular file", False),
    }


def test_a_folder_that_may_not_be_listed_is_listed(tmp_path, monkeypatch):
    touch(tmp_path, ["cat/1.jpg", "cat/locked/2.jpg"])
    scandir = os.scandir

    def refuse(folder):
        if folder == bytes(tmp_path / "cat/locked"):
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    listing = listed(tmp_path)
    assert paths(listing) == {"cat": ["cat/1.jpg"]}
    reason = ("unreadable folder: Permission denied", False)
    assert refused(listing.rejected) == {"cat/locked": reason}


def test_every_file_listed_is_counted(tmp_path):
    touch(tmp_path, ["cat/1.jpg", "cat/in/2.jpg", "dog/.hidden", "dog/3.jpg"])
    advances = []
    list_classes(FolderTree(tmp_path), "", str(tmp_path), advances.append)
    assert sum(advances) == 4


@pytest.mark.parametrize(
    ("paths", "problem"),
    [
        ([], "holds no class folders and no pictures, only 0 other entries"),
        (["b.txt", "a.tgz"], "and no pictures, only 2 other entries, such as 'a.tgz'"),
        (["cat/1.jpg", "dog/.hidden"], "No image is in class folder 'dog'"),
        (
            [f"{label}/.hidden" for label in "abcde"],
            "No image is in class folders 'a', 'b', 'c' and 2 more",
        ),
    ],
)
def test_a_folder_without_classes_or_a_class_without_files_is_refused(tmp_path, paths, problem):
    touch(tmp_path, paths)
    with pytest.raises(AtlasError) as caught:
        listed(tmp_path)
    assert problem in caught.value.problem


def test_a_missing_root_names_the_parameter(tmp_path):
    with pytest.raises(AtlasError, match=r"No such file or directory\. Set data\.root"):
        listed(tmp_path / "nowhere")


def test_a_root_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(AtlasError, match=r"is a file, and neither a \.zip nor a \.tar\."):
        listed(tmp_path / "file")


def test_two_unicode_forms_of_a_name_are_one_class(tmp_path):
    composed, decomposed = "cr\u00e8me", "cre\u0300me"
    touch(tmp_path, [f"{composed}/1.jpg", f"{decomposed}/2.jpg", "cat/3.jpg"])
    found = paths(listed(tmp_path))
    assert found.keys() == {"cat", composed}
    assert set(found[composed]) == {f"{composed}/1.jpg", f"{decomposed}/2.jpg"}


def test_pictures_without_class_folders_have_no_class(tmp_path):
    touch(tmp_path, ["1.jpg", "2.PNG", "notes.txt", "Thumbs.db"])
    listing = listed(tmp_path)
    assert paths(listing) == {"": ["1.jpg", "2.PNG"]}
    assert set(refused(listing.rejected)) == {"notes.txt", "Thumbs.db"}
