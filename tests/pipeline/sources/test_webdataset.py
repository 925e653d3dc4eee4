import json

import pytest

from pipeline.dataset.store import FolderStore
from pipeline.errors import AtlasError
from pipeline.sources.webdataset import tar_samples
from tests.layouts import write_tar
from tests.pipeline.sources.folders import refused


def samples(folder, members, names=("ant", "bee")):
    write_tar(folder / "s.tar", {name: data.encode() for name, data in members.items()})
    return tar_samples(FolderStore(folder), "s.tar", "train", names)


@pytest.mark.parametrize(
    ("suffix", "text", "label"),
    [
        ("cls", "1", "bee"),
        ("cls", "wasp\n", "wasp"),
        ("json", json.dumps({"label": 0}), "ant"),
        ("json", json.dumps({"class_name": "fly"}), "fly"),
        ("txt", "a fly", "a fly"),
        ("txt", "two\nlines", ""),
        ("JSON", json.dumps({"label": 0}), "ant"),
        ("CLS", "1", "bee"),
        ("cls", "\ufeffwasp", "wasp"),
        ("cls", "cre\u0300me", "cr\u00e8me"),
        ("cls", "--5", "--5"),
        ("cls", "9" * 5000, ""),
        ("json", "[1]", ""),
        ("json", "{", ""),
        ("json", '{"label": ' + "[" * 100_000, ""),
        ("json", '{"label": "\\ud800"}', ""),
        ("json", '{"label": "a\\u0000b"}', ""),
        ("json", json.dumps({"label": "x" * 100_000}), ""),
    ],
)
def test_the_class_is_what_the_file_beside_the_image_says(tmp_path, suffix, text, label):
    (found,) = samples(tmp_path, {"a.jpg": "image", f"a.{suffix}": text}).candidates
    assert (found.split, found.path, found.label) == ("train", "s.tar/a.jpg", label)
    assert FolderStore(tmp_path).read(found.key) == b"image"


def test_without_such_a_file_it_is_the_folder_inside_the_shard(tmp_path):
    found = samples(tmp_path, {"train/cat/a.jpg": "", "b.jpg": "", "cat/b.cls": "0"}).candidates
    assert {one.path: one.label for one in found} == {
        "s.tar/train/cat/a.jpg": "cat",
        "s.tar/b.jpg": "",
    }


def test_a_number_that_is_not_a_class_is_rejected(tmp_path):
    found = samples(tmp_path, {"a.jpg": "", "a.cls": "2", "b.jpg": "", "b.cls": "-1"})
    assert found.candidates == []
    assert refused(found.rejected) == {
        "s.tar/a.jpg": ("label out of range: 2 of 2 classes", False),
        "s.tar/b.jpg": ("label out of range: -1 of 2 classes", False),
    }


def test_without_names_a_number_is_its_own_name(tmp_path):
    (found,) = samples(tmp_path, {"a.jpg": "", "a.cls": "17"}, ()).candidates
    assert found.label == "17"


def test_a_shard_that_is_not_there_is_named(tmp_path):
    with pytest.raises(AtlasError, match=r"none\.tar cannot be read"):
        tar_samples(FolderStore(tmp_path), "none.tar", None, ())


def test_bytes_that_are_no_text_say_no_class(tmp_path):
    write_tar(tmp_path / "s.tar", {"a.jpg": b"", "a.cls": b"\xc8\xc9\0"})
    (found,) = tar_samples(FolderStore(tmp_path), "s.tar", None, ()).candidates
    assert found.label == ""


def test_two_unicode_forms_of_a_folder_are_one_class(tmp_path):
    members = {f"{name}/{name}.jpg": "" for name in ("cr\u00e8me", "cre\u0300me")}
    found = samples(tmp_path, members).candidates
    assert [one.label for one in found] == ["cr\u00e8me"] * 2
