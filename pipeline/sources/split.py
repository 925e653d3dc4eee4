"""Drawing a class's validation images, the same on every machine.

Files stand in the order of a hash of the seed and their own name. So the draw depends neither on
how a folder is listed nor on where it lies, and a file that is added moves no other file.
"""

import hashlib
from collections.abc import Iterator

from pipeline.errors import AtlasError
from pipeline.sources.listing import Listing
from pipeline.sources.protocol import Candidate


def by_fraction(listing: Listing, fraction: float, seed: int) -> Iterator[Candidate]:
    """Give each class's share to validation: at least one image, and one left to train.

    A fraction of 0 gives it none, one of 1 gives it all. Raises AtlasError for a class of a single
    file that is to be divided.
    """
    if fraction == 1:
        yield from listing.candidates("val")
        return
    for label, paths in listing.files.items():
        count = round(fraction * len(paths))
        yield from _divide(listing, label, max(1, count) if fraction else 0, seed)


def by_number(
    listing: Listing, train: int | None, val: int | None, seed: int
) -> Iterator[Candidate]:
    """Give each class `train` training images and of the rest at most `val` to validation.

    One number may be None: the other split's rest. A class with too few images keeps one for
    validation. Raises AtlasError for a class of a single file.
    """
    for label, paths in listing.files.items():
        rest = (val or 0) if train is None else len(paths) - train
        divided = list(_divide(listing, label, max(1, rest), seed))
        kept = [candidate for candidate in divided if candidate.split == "val"][:val]
        yield from kept
        yield from (candidate for candidate in divided if candidate.split == "train")


def _divide(listing: Listing, label: str, val: int, seed: int) -> Iterator[Candidate]:
    """All the files of a class, the first `val` of their drawn order for validation."""
    paths = listing.files[label]
    if val and len(paths) < 2:
        raise AtlasError(
            f"Class {label!r} has a single image, {paths[0]!r}; it takes one to train and one "
            "for validation.",
            fix="Add images to it, or remove the folder.",
        )
    drawn = sorted(paths, key=lambda path: _sort_key(listing.inside(path), seed))
    val = min(val, len(paths) - 1)
    for place, path in enumerate(drawn):
        yield Candidate("val" if place < val else "train", path, label)


def _sort_key(name: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}\0{name}".encode()).digest()
