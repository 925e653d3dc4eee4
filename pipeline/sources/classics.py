"""Small classics through torchvision's own classes: MNIST, FashionMNIST, CIFAR-10, CIFAR-100."""

import io
import tarfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PIL import Image

from pipeline.dataset.manifest import Split
from pipeline.params import DataParams
from pipeline.progress import Advance
from pipeline.sources.download import download
from pipeline.sources.protocol import Candidate, Located
from pipeline.sources.shards import locate_shards
from pipeline.sources.split import drawn
from pipeline.sources.trees import FolderTree

TORCHVISION = {
    "mnist": "MNIST",
    "fashion-mnist": "FashionMNIST",
    "cifar10": "CIFAR10",
    "cifar100": "CIFAR100",
}
"""The class in torchvision.datasets of each source."""
SPLITS: tuple[Split, ...] = ("train", "val")


@dataclass(frozen=True)
class ClassicSource:
    """A data set that torchvision reads whole into memory.

    `fetch` writes its pictures as PNG into two tar files, `<name>/train.tar` and `<name>/val.tar`
    below `data.root`, of torchvision's training and test images.
    """

    name: str

    def fetch(self, location: str, data: DataParams, seed: int, advance: Advance) -> None:
        """Write the tar files where they are missing, downloading the data set where it is."""
        if all((Path(location, self.name) / f"{split}.tar").is_file() for split in SPLITS):
            return

        def write(scratch: str) -> None:
            (Path(scratch) / self.name).mkdir()
            for split in SPLITS:
                images = self._torchvision(location, scratch, split)
                write_tar(Path(scratch) / self.name / f"{split}.tar", images, advance)

        download(TORCHVISION[self.name], Path(location), self.name, write)

    def locate(self, location: str, data: DataParams, seed: int, advance: Advance) -> Located:
        """The pictures; of each class `data.train_per_class` and `data.val_per_class` at most."""
        tree = FolderTree(Path(location))
        found = locate_shards(location, tree, data, seed, advance, folder=self.name)
        most: dict[Split | None, int | None] = {
            "train": data.train_per_class,
            "val": data.val_per_class,
        }
        return replace(found, divide=lambda usable: _first(usable, most, seed))

    def _torchvision(self, root: str, scratch: str, split: Split) -> Any:
        """torchvision's data set, from the root where it is there already."""
        from torchvision import datasets

        kind = getattr(datasets, TORCHVISION[self.name])
        try:
            return kind(root, train=split == "train", download=False)
        except RuntimeError:
            return kind(scratch, train=split == "train", download=True)


def write_tar(path: Path, images: Any, advance: Advance) -> None:
    """Write a torchvision data set as `<class>/<number>.png` into a tar file."""
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for number in range(len(images)):
            image, label = images[number]
            data = _png(image)
            member = tarfile.TarInfo(f"{_file_name(images.classes[label])}/{number:05}.png")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
            advance(1)


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def _file_name(label: str) -> str:
    return label.replace("/", " or ")


def _first(
    usable: Sequence[Candidate], most: dict[Split | None, int | None], seed: int
) -> Iterable[Candidate]:
    """Of each split and class the first images in drawn order."""
    groups = defaultdict(list)
    for image in usable:
        groups[image.split, image.label].append(image)
    for (split, _), images in groups.items():
        yield from drawn(images, seed, "")[: most[split]]
