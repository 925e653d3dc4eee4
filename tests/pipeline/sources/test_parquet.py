import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.dataset.store import FolderStore
from pipeline.errors import AtlasError
from pipeline.sources.parquet import parquet_samples
from tests.pipeline.sources.folders import refused

IMAGES = [{"bytes": name.encode(), "path": f"{name}.jpg"} for name in ("one", "two", "three")]


def samples(folder, columns, names=(), features=None):
    table = pa.table(columns)
    if features is not None:
        content = json.dumps({"info": {"features": features}})
        table = table.replace_schema_metadata({"huggingface": content})
    pq.write_table(table, folder / "a.parquet", row_group_size=2)
    return parquet_samples(FolderStore(folder), "a.parquet", "val", names)


def test_rows_are_images_by_their_number_wherever_their_group_is(tmp_path):
    found = samples(tmp_path, {"image": IMAGES, "label": [1, 0, 1]}, ("ant", "bee")).candidates
    assert [(one.split, one.path, one.label) for one in found] == [
        ("val", "a.parquet/00000000", "bee"),
        ("val", "a.parquet/00000001", "ant"),
        ("val", "a.parquet/00000002", "bee"),
    ]
    store = FolderStore(tmp_path)
    assert [store.read(one.key) for one in found] == [b"one", b"two", b"three"]


def test_class_names_in_the_file_come_before_others(tmp_path):
    features = {"label": {"names": ["cat", "dog"]}}
    columns = {"image": IMAGES, "label": [1, 0, 2]}
    found = samples(tmp_path, columns, ("ant", "bee", "fly"), features)
    assert [one.label for one in found.candidates] == ["dog", "cat"]
    assert refused(found.rejected) == {
        "a.parquet/00000002": ("label out of range: 2 of 2 classes", False)
    }


def test_labels_may_be_words_or_missing(tmp_path):
    words = samples(tmp_path, {"img": IMAGES, "class": ["ant", None, "bee"]}).candidates
    assert [one.label for one in words] == ["ant", "", "bee"]
    assert [one.label for one in samples(tmp_path, {"png": IMAGES}).candidates] == [""] * 3


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"text": ["a"]}, "has the columns text, none of which holds images"),
        ({"image": ["a.jpg"]}, "none of which holds images"),
        ({"image": IMAGES[:1], "label": [0.5]}, "has double in its column label, neither"),
    ],
)
def test_another_schema_is_refused_with_what_there_is(tmp_path, columns, words):
    with pytest.raises(AtlasError, match=words):
        samples(tmp_path, columns)


def test_what_is_not_a_parquet_file_is_refused(tmp_path):
    (tmp_path / "b.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(AtlasError, match=r"b\.parquet cannot be read as parquet"):
        parquet_samples(FolderStore(tmp_path), "b.parquet", None, ())


def test_a_word_that_is_no_name_is_rejected_and_others_are_composed(tmp_path):
    found = samples(tmp_path, {"image": IMAGES, "label": ["cre\u0300me", "a\0b", "x" * 300]})
    assert [one.label for one in found.candidates] == ["cr\u00e8me"]
    no_name = ("label is no name of a class", False)
    assert refused(found.rejected) == {
        "a.parquet/00000001": no_name,
        "a.parquet/00000002": no_name,
    }


def test_features_that_name_no_classes_are_refused_or_none(tmp_path):
    columns = {"image": IMAGES, "label": [0, 1, 0]}
    with pytest.raises(AtlasError, match="name of class 1 is none"):
        samples(tmp_path, columns, features={"label": {"names": ["cat", "\ud800"]}})
    deep = pa.table(columns).replace_schema_metadata({"huggingface": "[" * 100_000})
    pq.write_table(deep, tmp_path / "a.parquet")
    found = parquet_samples(FolderStore(tmp_path), "a.parquet", "val", ("ant", "bee"))
    assert [one.label for one in found.candidates] == ["ant", "bee", "ant"]
