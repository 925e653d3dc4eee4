"""Caltech-101's layout and the paper's protocol, on empty files."""

import pytest
import torchvision.datasets

from pipeline.errors import AtlasError
from pipeline.sources.caltech101 import Caltech101Source
from tests.pipeline.sources.folders import data_params, locate, refused, splits, touch

CLASSES = {"anchor": 12, "brain": 9, "Faces": 30}
IMAGES = [f"{label}/image_{n:04}.jpg" for label, size in CLASSES.items() for n in range(size)]
BACKGROUND = [f"BACKGROUND_Google/image_{n:04}.jpg" for n in range(5)]
FILES = [*IMAGES, *BACKGROUND, "BACKGROUND_Google/.tmp", "BACKGROUND_Google/tmp"]


def touch_caltech(root):
    touch(root / "101_ObjectCategories", FILES)


def located(root, train=6, val=4, seed=0):
    data = data_params("caltech101", train_per_class=train, val_per_class=val)
    return locate(Caltech101Source(), root, data, seed)


def per_class(paths):
    return {label: sum(f"/{label}/" in path for path in paths) for label in CLASSES}


def test_the_protocol_draws_its_numbers_from_every_class(tmp_path):
    touch_caltech(tmp_path / "caltech101")
    parts = splits(located(tmp_path))
    assert per_class(parts["train"]) == {"anchor": 6, "brain": 6, "Faces": 6}
    assert per_class(parts["val"]) == {"anchor": 4, "brain": 3, "Faces": 4}
    assert not parts["train"] & parts["val"]


def test_the_background_is_dropped_with_its_strays(tmp_path):
    touch_caltech(tmp_path / "caltech101")
    found = located(tmp_path)
    assert not any("BACKGROUND" in path for part in splits(found).values() for path in part)
    assert refused(found) == {}


def test_the_root_may_be_the_folder_itself_and_the_draw_is_the_same(tmp_path):
    touch_caltech(tmp_path / "caltech101")
    outer, inner = splits(located(tmp_path)), splits(located(tmp_path / "caltech101"))
    assert outer["val"] == {f"caltech101/{path}" for path in inner["val"]}


def test_another_seed_is_another_fold(tmp_path):
    touch_caltech(tmp_path)
    assert splits(located(tmp_path, seed=1)) != splits(located(tmp_path, seed=2))


def test_a_data_set_with_classes_missing_is_reported(tmp_path, caplog):
    touch_caltech(tmp_path)
    located(tmp_path)
    assert "holds 3 classes, not 101" in caplog.text


def test_without_numbers_the_fraction_splits(tmp_path):
    touch_caltech(tmp_path)
    parts = splits(located(tmp_path, train=None, val=None))
    assert per_class(parts["val"]) == {"anchor": 3, "brain": 2, "Faces": 8}
    assert len(parts["train"] | parts["val"]) == len(IMAGES)


def test_it_is_downloaded_where_it_is_missing(tmp_path, monkeypatch):
    def download(root, download):
        assert download
        touch_caltech(tmp_path / root / "caltech101")
        touch(tmp_path / root, ["caltech101/caltech-101.zip"])

    monkeypatch.setattr(torchvision.datasets, "Caltech101", download)
    parts = splits(located(tmp_path / "data"))
    assert all((tmp_path / "data" / path).is_file() for path in parts["train"] | parts["val"])
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["caltech101"]


def test_it_is_not_downloaded_where_it_is(tmp_path, monkeypatch):
    monkeypatch.delattr(torchvision.datasets, "Caltech101")
    touch_caltech(tmp_path / "caltech101")
    located(tmp_path)


def test_a_download_that_breaks_off_leaves_no_half_data_set(tmp_path, monkeypatch):
    def break_off(root, download):
        touch(tmp_path / root, ["caltech101/101_ObjectCategories/anchor/image_0001.jpg"])
        raise OSError("no network")

    monkeypatch.setattr(torchvision.datasets, "Caltech101", break_off)
    with pytest.raises(AtlasError) as caught:
        located(tmp_path)
    assert "Caltech-101" in caught.value.problem
    assert "no network" in caught.value.problem
    assert [path.name for path in tmp_path.rglob("*")] == ["caltech101"]
