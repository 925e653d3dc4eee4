"""The user's own folders in both layouts."""

import pytest

from pipeline.errors import AtlasError
from pipeline.sources.folder import FolderSource
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
    [("Train", "Val"), ("training", "validation"), ("TRAIN", "valid"), ("train", "test")],
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
