"""The user's own folders in both layouts."""

import pytest

from pipeline.errors import AtlasError
from pipeline.sources.folder import FolderSource
from tests.layouts import write_tar
from tests.pipeline.sources.folders import data_params, locate, refused, splits, touch


def located(root, **changes):
    return locate(FolderSource(), root, data_params("folder", **changes))


def test_train_and_val_are_taken_as_they_are(tmp_path):
    touch(tmp_path, ["train/cat/1.jpg", "train/cat/2.jpg", "val/cat/3.jpg", "val/.hidden"])
    found = located(tmp_path)
    assert splits(found) == {
        "train": {"train/cat/1.jpg", "train/cat/2.jpg"},
        "val": {"val/cat/3.jpg"},
    }
    assert refused(found) == {"val/.hidden": ("hidden", True)}
    assert {item.label for item in found.candidates} == {"cat"}


def test_class_folders_alone_are_split_by_the_fraction(tmp_path):
    touch(tmp_path, [f"{label}/{n}.jpg" for label in ("cat", "dog") for n in range(20)])
    parts = splits(located(tmp_path, val_fraction=0.25))
    for label in ("cat", "dog"):
        assert sum(path.startswith(label) for path in parts["val"]) == 5
    assert len(parts["train"] | parts["val"]) == 40


def test_limits_per_class_do_not_touch_the_users_images(tmp_path):
    touch(tmp_path, [f"{split}/cat/{n}.jpg" for split in ("train", "val") for n in range(9)])
    parts = splits(located(tmp_path, train_per_class=2, val_per_class=2))
    assert [len(part) for part in parts.values()] == [9, 9]


def test_what_lies_beside_train_and_val_is_left_alone(tmp_path):
    touch(tmp_path, ["train/cat/1.jpg", "val/cat/2.jpg", "test/cat/3.jpg", "LICENSE"])
    found = located(tmp_path)
    assert refused(found) == {}
    assert sum(map(len, splits(found).values())) == 2


def test_training_images_alone_are_refused(tmp_path):
    touch(tmp_path, ["train/cat/1.jpg"])
    with pytest.raises(AtlasError, match="train/ with class folders but no val/"):
        located(tmp_path)


@pytest.mark.parametrize("path", ["val/cat/1.jpg", "val/1.jpg", "1.jpg"])
def test_validation_images_alone_are_enough(tmp_path, path):
    touch(tmp_path, [path])
    assert splits(located(tmp_path)) == {"train": set(), "val": {path}}


@pytest.mark.parametrize(
    ("train", "val"),
    [
        ("Train", "Val"),
        ("training", "validation"),
        ("TRAIN", "valid"),
        ("train", "test"),
        ("train2017", "val2017"),
        ("ILSVRC2012_img_train", "ILSVRC2012_img_val"),
        ("training_set", "test_set"),
    ],
)
def test_split_folders_are_known_whatever_their_spelling(tmp_path, train, val):
    touch(tmp_path, [f"{train}/cat/1.jpg", f"{val}/cat/2.jpg"])
    found = located(tmp_path)
    assert splits(found) == {"train": {f"{train}/cat/1.jpg"}, "val": {f"{val}/cat/2.jpg"}}
    assert {image.label for image in found.candidates} == {"cat"}


def test_two_folders_for_one_split_are_refused(tmp_path):
    touch(tmp_path, ["train/cat/1.jpg", "Train/cat/1.jpg", "val/cat/2.jpg"])
    with pytest.raises(AtlasError, match="Train/ and train/: one split or two"):
        located(tmp_path)


def test_a_class_may_be_called_train(tmp_path):
    touch(tmp_path, [f"{label}/{n}.jpg" for label in ("bus", "train") for n in range(4)])
    parts = splits(located(tmp_path))
    assert sum(path.startswith("train/") for path in parts["train"] | parts["val"]) == 4


@pytest.mark.parametrize(
    "names", [("train 1", "val 2", "cat"), ("model train", "toy train"), ("train2014", "train2017")]
)
def test_a_class_may_hold_the_word_of_a_split(tmp_path, names):
    touch(tmp_path, [f"{name}/{n}.jpg" for name in names for n in range(2)])
    assert {image.label for image in located(tmp_path).candidates} == set(names)


def test_two_folders_whose_words_are_of_one_split_are_refused(tmp_path):
    touch(tmp_path, [f"{name}/cat/1.jpg" for name in ("train2014", "train2017", "val2017")])
    with pytest.raises(AtlasError, match="train2014/ and train2017/: one split or two"):
        located(tmp_path)


@pytest.mark.parametrize("above", ["images", "photos/all of them"])
def test_splits_may_be_packed_in_a_folder(tmp_path, above):
    touch(tmp_path, [f"{above}/train/cat/1.jpg", f"{above}/val/cat/2.jpg", "LICENSE"])
    found = located(tmp_path)
    assert splits(found) == {
        "train": {f"{above}/train/cat/1.jpg"},
        "val": {f"{above}/val/cat/2.jpg"},
    }
    assert {image.label for image in found.candidates} == {"cat"}


@pytest.mark.parametrize("beside", [[], ["photos/LICENSE", "__MACOSX/photos/cat/._0.jpg"]])
def test_an_archive_of_a_folder_holds_what_the_folder_does(tmp_path, beside):
    names = [f"photos/{label}/{n}.jpg" for label in ("cat", "dog") for n in range(4)]
    write_tar(tmp_path / "photos.tar", dict.fromkeys([*names, *beside], b""))
    found = located(tmp_path / "photos.tar")
    assert {image.label for image in found.candidates} == {"cat", "dog"}
    touch(tmp_path / "unpacked", [name.removeprefix("photos/") for name in names])
    alone = splits(located(tmp_path / "unpacked"))
    assert splits(found) == {s: {f"photos/{name}" for name in alone[s]} for s in alone}


@pytest.mark.parametrize(
    "paths", [["cat/old/1.jpg", "cat/new/2.jpg"], ["cat/1.jpg", "cat/2.jpg"], ["a/b/1.jpg"]]
)
def test_a_class_may_be_alone(tmp_path, paths):
    touch(tmp_path, [*paths, paths[0].replace("1.jpg", "3.jpg")])
    assert {image.label for image in located(tmp_path).candidates} == {paths[0].split("/")[0]}
