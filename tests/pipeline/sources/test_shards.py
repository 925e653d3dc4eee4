import pytest

from pipeline.errors import AtlasError
from pipeline.progress import no_progress
from pipeline.sources.shards import holds_shards, locate_shards
from pipeline.sources.trees import FolderTree
from tests.layouts import write_tar
from tests.pipeline.sources.folders import data_params, images, splits, touch


def shards(folder, *names, members=("a.jpg", "b.jpg")):
    for name in names:
        write_tar(folder / name, dict.fromkeys(members, b""))


def located(folder):
    data = data_params("folder", val_fraction=0.5)
    return locate_shards(str(folder), FolderTree(folder), data, 0, no_progress)


@pytest.mark.parametrize(
    ("paths", "holds"),
    [
        (["a.tar", "README.md"], True),
        (["data/train-0.parquet"], True),
        (["train/a.tar", "val/b.tar"], True),
        (["a.tar", "b.jpg"], False),
        (["cat/a.jpg"], False),
        (["a/b/c.tar"], False),
    ],
)
def test_shards_are_known_by_the_top_two_levels(tmp_path, paths, holds):
    touch(tmp_path, paths)
    assert holds_shards(FolderTree(tmp_path)) == holds


def test_the_split_is_a_word_of_the_path_and_test_is_left_where_val_is(tmp_path):
    shards(tmp_path, "train-0.tar", "val-0.tar", "test-0.tar", "other-0.tar", members=("c/a.jpg",))
    assert splits(located(tmp_path)) == {
        "train": {"train-0.tar/c/a.jpg"},
        "val": {"val-0.tar/c/a.jpg"},
    }


def test_where_there_is_no_val_the_test_images_are(tmp_path):
    shards(tmp_path, "train-0.tar", "test-0.tar", members=("c/a.jpg",))
    assert splits(located(tmp_path))["val"] == {"test-0.tar/c/a.jpg"}


def test_without_split_words_each_class_is_divided_and_without_classes_all_are_val(tmp_path):
    shards(tmp_path, "a-0.tar", members=("c/a.jpg", "c/b.jpg", "d/a.jpg", "d/b.jpg"))
    found = images(located(tmp_path))
    assert sorted((one.split, one.label) for one in found) == [
        *(("train", "c"), ("train", "d")),
        *(("val", "c"), ("val", "d")),
    ]
    shards(tmp_path, "a-0.tar")
    assert {one.split for one in images(located(tmp_path))} == {"val"}


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["t-000000.tar", "t-000002.tar"], r"Shard 1 of .*/t-… is missing \(1 of 3 are\)"),
        (["t-00000-of-00003.tar", "t-00001-of-00003.tar"], r"Shard 2 of .* \(1 of 3 are\)"),
    ],
)
def test_a_series_with_a_gap_is_refused(tmp_path, names, words):
    shards(tmp_path, *names)
    with pytest.raises(AtlasError, match=words):
        located(tmp_path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_class_names_come_from_a_text_of_one_a_line(tmp_path, encoding):
    (tmp_path / "classes.txt").write_text("ant\n\n bee \n", encoding=encoding)
    write_tar(tmp_path / "train.tar", {"a.jpg": b"", "a.cls": b"1"})
    assert [one.label for one in located(tmp_path).candidates] == ["bee"]


def test_shards_without_images_are_refused(tmp_path):
    write_tar(tmp_path / "train.tar", {"a.txt": b"words"})
    with pytest.raises(AtlasError, match=r"The 1 shards of .* hold no images"):
        located(tmp_path)


def test_class_names_in_another_encoding_are_refused(tmp_path):
    (tmp_path / "classes.txt").write_text("ant\nbee\n", encoding="utf-16")
    write_tar(tmp_path / "train.tar", {"a.jpg": b"", "a.cls": b"1"})
    with pytest.raises(AtlasError, match=r"classes\.txt is not in UTF-8"):
        located(tmp_path)
