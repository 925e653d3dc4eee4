"""The gallery: which pictures hang in a folder, and drawing those that are missing."""

import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from demo.scene import CLASSES, WITH_PARTS, draw_with_parts
from pipeline.parent import end_with_parent

Split = Literal["train", "val"]
SPLITS: tuple[Split, ...] = ("train", "val")
"""In the order of their numbers in the seed of a picture."""

_FEW = 32
"""So many pictures are drawn sooner than a second process starts."""


@dataclass(frozen=True)
class Shot:
    """One picture of the data set, by its place in it."""

    split: Split
    label: str
    number: int

    @property
    def path(self) -> str:
        """Where it hangs, below the root."""
        return f"{self.split}/{self.label}/{self.label}_{self.number:04d}.jpg"

    def generator(self, seed: int) -> np.random.Generator:
        """Give the randomness of this picture, the same in any order and any process."""
        return np.random.default_rng(
            [seed, SPLITS.index(self.split), CLASSES.index(self.label), self.number]
        )


@dataclass(frozen=True)
class Mark:
    """The place of a part in a picture."""

    path: str
    part: str
    row: float
    """Of its middle, in pixels from the top edge."""
    col: float


def has_marks(shot: Shot) -> bool:
    """Whether the parts of what a picture shows are listed: of the validation pictures."""
    return shot.split == "val" and shot.label in WITH_PARTS


def take(root: Path, seed: int, shot: Shot) -> list[Mark]:
    """Draw one picture and hang it; the file appears whole or not at all. Give its parts."""
    target = root / shot.path
    unfinished = target.with_name(f".{target.name}.partial")
    picture, parts = draw_with_parts(shot.label, shot.generator(seed))
    picture.save(unfinished, format="JPEG", quality=92, subsampling=0)
    unfinished.replace(target)
    return [Mark(shot.path, *part) for part in parts] if has_marks(shot) else []


def marks_of(seed: int, shot: Shot) -> list[Mark]:
    """The parts of a picture that already hangs: it is drawn again, and not kept."""
    return [Mark(shot.path, *p) for p in draw_with_parts(shot.label, shot.generator(seed))[1]]


def take_all(
    root: Path, seed: int, shots: list[Shot], advance: Callable[[int], object]
) -> list[Mark]:
    """Draw pictures on every core, telling `advance` of each. Raises OSError on a full disk."""
    for folder in {(root / shot.path).parent for shot in shots}:
        folder.mkdir(parents=True, exist_ok=True)
    marks: list[Mark] = []
    for found in _on_every_core(partial(take, root, seed), shots):
        marks += found
        advance(1)
    return marks


def all_marks(seed: int, shots: list[Shot]) -> list[Mark]:
    """The parts of pictures that already hang, on every core."""
    found = _on_every_core(partial(marks_of, seed), list(filter(has_marks, shots)))
    return [mark for marks in found for mark in marks]


def _on_every_core(work: Callable[[Shot], list[Mark]], shots: list[Shot]) -> Iterator[list[Mark]]:
    if len(shots) <= _FEW:
        yield from map(work, shots)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), context, initializer=end_with_parent) as pool:
        yield from pool.map(work, shots, chunksize=8)
