"""torchvision's small classics: their pictures and classes, from files in torchvision's layout."""

import hashlib
import io
import pickle

import numpy as np
import pytest
import torch
import torchvision.datasets
from PIL import Image

from pipeline.dataset.store import open_images
from pipeline.errors import AtlasError
from pipeline.sources.classics import TORCHVISION, ClassicSource
from tests.pipeline.sources.folders import data_params, images, locate, splits

SIZES = {True: 8, False: 6}


class Small:
    """A data set as torchvision gives it: pictures, numbers, class names."""

    classes = ("0 - zero", "T-shirt/top")

    def __init__(self, root, train, download):
        if not download:
            raise RuntimeError("Dataset not found")
        rng = np.random.default_rng(train)
        self.pictures = rng.integers(0, 256, (SIZES[train], 28, 28)).astype(np.uint8)

    def __len__(self):
        return len(self.pictures)

    def __getitem__(self, index):
        return Image.fromarray(self.pictures[index]), index % 2


@pytest.fixture
def small(monkeypatch):
    for name in TORCHVISION.values():
        monkeypatch.setattr(torchvision.datasets, name, Small)


@pytest.mark.parametrize("name", TORCHVISION)
def test_every_picture_has_its_pixels_and_class(tmp_path, small, name):
    found = locate(ClassicSource(name), tmp_path, data_params(name))
    assert {split: len(paths) for split, paths in splits(found).items()} == {"train": 8, "val": 6}
    assert {image.label for image in found.candidates} == {"0 - zero", "T-shirt or top"}
    store = open_images(tmp_path)
    for image in images(found):
        with Image.open(io.BytesIO(store.read(image.key))) as picture:
            number = int(image.path[-9:-4])
            theirs = Small("", image.split == "train", True)
            assert np.array_equal(np.asarray(picture), theirs.pictures[number])
            assert image.label[0] == "0T"[number % 2]


def test_so_many_of_a_class_are_kept(tmp_path, small):
    data = data_params("mnist", train_per_class=3, val_per_class=1)
    found = locate(ClassicSource("mnist"), tmp_path, data)
    assert {split: len(paths) for split, paths in splits(found).items()} == {"train": 6, "val": 2}


def test_it_is_fetched_once(tmp_path, small, monkeypatch):
    locate(ClassicSource("cifar10"), tmp_path, data_params("cifar10"))
    monkeypatch.delattr(torchvision.datasets, "CIFAR10")
    locate(ClassicSource("cifar10"), tmp_path, data_params("cifar10"))


def test_torchvisions_own_files_are_used_where_they_are(tmp_path):
    folder = tmp_path / "MNIST" / "raw"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for stem, count in (("train", 20), ("t10k", 10)):
        pixels = rng.integers(0, 256, (count, 28, 28)).astype(np.uint8)
        labels = (np.arange(count) % 10).astype(np.uint8)
        sizes = b"".join(size.to_bytes(4, "big") for size in (count, 28, 28))
        (folder / f"{stem}-images-idx3-ubyte").write_bytes(
            b"\0\0\x08\x03" + sizes + pixels.tobytes()
        )
        (folder / f"{stem}-labels-idx1-ubyte").write_bytes(
            b"\0\0\x08\x01" + count.to_bytes(4, "big") + labels.tobytes()
        )
    found = locate(ClassicSource("mnist"), tmp_path, data_params("mnist"))
    assert {split: len(paths) for split, paths in splits(found).items()} == {"train": 20, "val": 10}
    theirs = torchvision.datasets.MNIST(str(tmp_path), train=False)
    store = open_images(tmp_path)
    for image in images(found):
        if image.split == "val":
            number = int(image.path[-9:-4])
            with Image.open(io.BytesIO(store.read(image.key))) as picture:
                assert torch.equal(torch.tensor(np.asarray(picture)), theirs.data[number])
            assert image.label == theirs.classes[theirs.targets[number]]


def test_cifar_in_its_own_files_is_read(tmp_path, monkeypatch):
    """Batches as Python pickles them; torchvision knows the originals by hashes that it lists."""
    from torchvision.datasets import CIFAR10

    folder = tmp_path / CIFAR10.base_folder
    folder.mkdir()
    rng = np.random.default_rng(0)
    names = [f"kind {number}" for number in range(10)]
    batches = {
        name: {
            "data": rng.integers(0, 256, (10, 3 * 32 * 32)).astype(np.uint8),
            "labels": [int(label) for label in rng.permutation(10)],
        }
        for name in ("data_batch_1", "data_batch_2", "test_batch")
    }
    contents = {name: pickle.dumps(batch) for name, batch in batches.items()}
    contents["batches.meta"] = pickle.dumps({"label_names": names})
    hashes = {}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
        hashes[name] = hashlib.md5(content).hexdigest()
    train = [[name, hashes[name]] for name in ("data_batch_1", "data_batch_2")]
    monkeypatch.setattr(CIFAR10, "train_list", train)
    monkeypatch.setattr(CIFAR10, "test_list", [["test_batch", hashes["test_batch"]]])
    monkeypatch.setattr(CIFAR10, "meta", CIFAR10.meta | {"md5": hashes["batches.meta"]})
    found = locate(ClassicSource("cifar10"), tmp_path, data_params("cifar10"))
    assert {split: len(paths) for split, paths in splits(found).items()} == {"train": 20, "val": 10}
    store = open_images(tmp_path)
    for image in images(found):
        number = int(image.path[-9:-4])
        parts = ("data_batch_1", "data_batch_2") if image.split == "train" else ("test_batch",)
        batch = batches[parts[number // 10]]
        planes = batch["data"][number % 10].reshape(3, 32, 32)
        with Image.open(io.BytesIO(store.read(image.key))) as picture:
            assert np.array_equal(np.asarray(picture), np.moveaxis(planes, 0, 2))
        assert image.label == names[batch["labels"][number % 10]]


def test_without_a_network_the_way_out_is_named(tmp_path, monkeypatch):
    def refuse(root, train, download):
        raise RuntimeError("no network")

    monkeypatch.setattr(torchvision.datasets, "MNIST", refuse)
    with pytest.raises(AtlasError, match=r"MNIST is not in .* cannot be downloaded: no network"):
        locate(ClassicSource("mnist"), tmp_path, data_params("mnist"))
    assert [path.name for path in tmp_path.iterdir()] == []
