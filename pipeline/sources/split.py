"""Drawing a class's validation images, the same on every machine.

Images are in the order of a hash of the seed and their own name. So the draw depends neither on
how a folder is listed nor on where it is, and an image that is added moves no other. Only usable
images are drawn, so that no other file takes a place.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from pipeline.errors import AtlasError
from pipeline.sources.protocol import Candidate, Divide


def by_fraction(fraction: float, seed: int, folder: str = "") -> Divide:
    """Give each class's share to validation: at least one image, and one left to train.

    A fraction of 0 gives it none, 1 all. `folder` is the one that the class folders are in. The
    draw raises AtlasError for a class of a single image.
    """

    def divide(usable: Sequence[Candidate]) -> Iterator[Candidate]:
        if fraction == 1:
            yield from (replace(image, split="val") for image in usable)
            return
        for label, images in _by_label(usable).items():
            count = round(fraction * len(images))
            yield from _divided(images, label, max(1, count) if fraction else 0, seed, folder)

    return divide


def by_number(train: int | None, val: int | None, seed: int, folder: str = "") -> Divide:
    """Give each class `train` training images and of the rest at most `val` to validation.

    One number may be None: the other split's rest. A class with too few images keeps one for
    validation. The draw raises AtlasError for a class of a single image.
    """

    def divide(usable: Sequence[Candidate]) -> Iterator[Candidate]:
        for label, images in _by_label(usable).items():
            rest = (val or 0) if train is None else len(images) - train
            divided = list(_divided(images, label, max(1, rest), seed, folder))
            yield from [image for image in divided if image.split == "val"][:val]
            yield from (image for image in divided if image.split == "train")

    return divide


def _by_label(images: Sequence[Candidate]) -> dict[str, list[Candidate]]:
    labels = defaultdict(list)
    for image in images:
        labels[image.label].append(image)
    return labels


def _divided(
    images: list[Candidate], label: str, val: int, seed: int, folder: str
) -> Iterator[Candidate]:
    """All the images of a class, the first `val` of their drawn order for validation."""
    if val and len(images) < 2:
        raise AtlasError(
            f"Class {label!r} has a single image, {images[0].path!r}; it takes one to train and "
            "one for validation.",
            fix="Add images to it, remove the folder, or name a folder of all classes val/.",
        )
    val = min(val, len(images) - 1)
    for place, image in enumerate(drawn(images, seed, folder)):
        yield replace(image, split="val" if place < val else "train")


def drawn(images: Sequence[Candidate], seed: int, folder: str) -> list[Candidate]:
    """Images in drawn order; `folder` is the one that their class folders are in."""
    start = f"{folder}/" if folder else ""
    return sorted(images, key=lambda image: _sort_key(image.path.removeprefix(start), seed))


def _sort_key(name: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}\0{name}".encode()).digest()
