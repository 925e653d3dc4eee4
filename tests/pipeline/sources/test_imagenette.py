"""Imagenette's layouts and names, on empty files."""

import pytest
import torchvision.datasets

from pipeline.errors import AtlasError
from pipeline.sources.imagenette import NAMES, ImagenetteSource
from tests.pipeline.sources.folders import data_params, locate, splits, touch


def touch_imagenette(folder):
    touch(folder, [f"{split}/{i}/{i}_1.JPEG" for split in ("train", "val") for i in NAMES])


def located(root):
    return locate(ImagenetteSource(), root, data_params("imagenette"))


@pytest.mark.parametrize("folder", [".", "imagenette2", "imagenette2-320", "imagenette2-160"])
def test_any_of_torchvisions_folders_is_found(tmp_path, folder):
    touch_imagenette(tmp_path / folder)
    parts = splits(located(tmp_path))
    assert [len(part) for part in parts.values()] == [10, 10]
    assert all((tmp_path / path).is_file() for path in parts["train"])


def test_the_largest_images_are_preferred(tmp_path):
    for folder in ("imagenette2-160", "imagenette2-320"):
        touch_imagenette(tmp_path / folder)
    assert all(path.startswith("imagenette2-320/") for path in splits(located(tmp_path))["val"])


def test_classes_have_readable_names(tmp_path):
    touch_imagenette(tmp_path)
    labels = {item.path: item.label for item in located(tmp_path).candidates}
    assert labels["train/n03394916/n03394916_1.JPEG"] == "French horn"
    assert len(set(labels.values())) == 10


def test_names_are_torchvisions():
    theirs = torchvision.datasets.Imagenette._WNID_TO_CLASS
    assert {wnid: several[0] for wnid, several in theirs.items()} == NAMES


def test_it_is_downloaded_where_it_is_missing(tmp_path, monkeypatch):
    def download(root, size, download):
        assert (size, download) == ("320px", True)
        touch_imagenette(tmp_path / root / "imagenette2-320")

    monkeypatch.setattr(torchvision.datasets, "Imagenette", download)
    assert len(located(tmp_path / "data").candidates) == 20
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["imagenette2-320"]


def test_without_a_network_the_way_out_is_named(tmp_path, monkeypatch):
    def refuse(root, size, download):
        raise RuntimeError("archive not found or corrupted")

    monkeypatch.setattr(torchvision.datasets, "Imagenette", refuse)
    with pytest.raises(AtlasError, match=r"cannot be downloaded.*Unpack it"):
        located(tmp_path)
    assert list(tmp_path.iterdir()) == []
