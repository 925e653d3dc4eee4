"""The manifest as a table of text, an order, and the numbers of classes."""

import csv
import dataclasses
import itertools
from pathlib import Path
from typing import Any

import pytest

from pipeline.dataset import manifest as manifest_module
from pipeline.dataset.manifest import (
    ImageRow,
    Manifest,
    read_manifest,
    sorted_manifest,
    write_manifest,
)
from pipeline.errors import AtlasError

HARD_NAMES = [
    'say "cheese", please.jpg',
    "<img src=x onerror=alert(1)>.jpg",
    "new\nline.jpg",
    "carriage\rreturn.jpg",
    "😀 é ü.jpg",
    " leading and trailing ",
    "#?%&'.jpg",
    "",
]


def row(split="train", path="cat/1.jpg", label="cat"):
    return ImageRow(split, path, label, 30, 20, "ab" * 32)


def test_rows_are_sorted_bytewise_by_split_then_path():
    rows = [
        row("val", "a"),
        row("train", "é"),
        row("train", "z"),
        row("train", "Z"),
        row(path="😀"),
    ]
    for order in itertools.permutations(rows):
        manifest = sorted_manifest(order)
        assert [r.path for r in manifest.rows] == ["Z", "z", "é", "😀", "a"]


def test_image_rows_count_within_their_split():
    manifest = sorted_manifest([row("val", "x/1"), row("val", "x/0"), row("train", "x/9")])
    assert [r.path for r in manifest.split("val")] == ["x/0", "x/1"]
    assert [r.path for r in manifest.split("train")] == ["x/9"]


def test_classes_are_those_of_the_training_images_in_bytewise_order():
    rows = [row(path=f"{n}", label=label) for n, label in enumerate(["b", "Z", "é", "a", "b"])]
    manifest = sorted_manifest([*rows, row("val", "v", "only to validate")])
    assert manifest.classes == ("Z", "a", "b", "é")


def test_an_empty_manifest_has_empty_splits():
    assert Manifest(()).split("val") == ()
    assert Manifest(()).classes == ()


@pytest.mark.parametrize("name", HARD_NAMES)
def test_any_name_comes_back(tmp_path, name):
    manifest = sorted_manifest([row("train", f"c/{name}", name), row("val", f"c/{name}", name)])
    write_manifest(tmp_path / "manifest.csv", manifest)
    assert read_manifest(tmp_path / "manifest.csv") == manifest


def test_any_csv_reader_finds_the_columns(tmp_path):
    write_manifest(tmp_path / "m.csv", Manifest((row(path='a "b"\r,c'),)))
    with (tmp_path / "m.csv").open(encoding="utf-8", newline="") as file:
        (line,) = csv.DictReader(file)
    assert line == {
        "split": "train",
        "path": 'a "b"\r,c',
        "label": "cat",
        "width": "30",
        "height": "20",
        "sha256": "ab" * 32,
    }


def test_unquoted_tables_are_read_too(tmp_path):
    (tmp_path / "m.csv").write_text(
        f"split,path,label,width,height,sha256\ntrain,cat/1.jpg,cat,30,20,{'ab' * 32}\n"
    )
    assert read_manifest(tmp_path / "m.csv") == Manifest((row(),))


HEADER = "split,path,label,width,height,sha256\n"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "columns are missing"),
        ("path,label\n", "columns are path, label"),
        (HEADER + "test,a,b,1,1,ff\n", "'test' is neither train nor val"),
        (HEADER + "train,a,b,wide,1,ff\n", "wide"),
        (HEADER + "train,a,b\n", "row 1 has 3 cells"),
        (HEADER + "train,b,x,1,1,ff\ntrain,a,x,1,1,ff\n", "row 2 (a) is out of order"),
        (HEADER + "train,a,x,1,1,ff\ntrain,a,x,1,1,ff\n", "row 2 (a) is out of order or"),
        (HEADER + "train,a,b,1,1,ff,more\n", "row 1 has 7 cells"),
        (HEADER + '"train,a', "not a manifest"),
    ],
)
def test_what_is_not_a_manifest_is_refused_with_the_place(tmp_path, text, fault):
    path = tmp_path / "manifest.csv"
    path.write_text(text)
    with pytest.raises(AtlasError) as caught:
        read_manifest(path)
    assert fault in caught.value.problem
    assert caught.value.fix == "Run `dvc repro -f -s prepare`."


def test_bytes_that_are_no_text_are_refused(tmp_path):
    (tmp_path / "manifest.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(AtlasError, match="not a manifest"):
        read_manifest(tmp_path / "manifest.csv")


def test_a_missing_manifest_names_the_stage_that_makes_it(tmp_path):
    with pytest.raises(AtlasError, match=r"`dvc repro prepare`"):
        read_manifest(tmp_path / "manifest.csv")


def test_a_column_is_added_by_a_field_with_a_default(tmp_path):
    source = Path(manifest_module.__file__).read_text()
    field = '    position: str = ""\n'
    edited: dict[str, Any] = {"__name__": "edited"}
    exec(source.replace(field, f"{field}    rating: int = 0\n"), edited)
    plain, rated = edited["ImageRow"](**dataclasses.asdict(row())), tmp_path / "rated.csv"
    edited["write_manifest"](rated, edited["Manifest"]((dataclasses.replace(plain, rating=3),)))
    assert rated.read_text().splitlines()[0].endswith(',"sha256","rating"')
    assert edited["read_manifest"](rated).rows[0].rating == 3
    assert read_manifest(rated).rows == (row(),)  # a reader that does not know it

    write_manifest(tmp_path / "before.csv", Manifest((row(),)))
    assert edited["read_manifest"](tmp_path / "before.csv").rows == (plain,)
    edited["write_manifest"](tmp_path / "after.csv", edited["Manifest"]((plain,)))
    assert (tmp_path / "after.csv").read_bytes() == (tmp_path / "before.csv").read_bytes()
