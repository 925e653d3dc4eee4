"""The gallery: which pictures hang in a folder, and drawing those that are missing."""

import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from demo.scene import CLASSES, draw
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


def take(root: Path, seed: int, shot: Shot) -> None:
    """Draw one picture and hang it; the file appears whole or not at all."""
    target = root / shot.path
    partial = target.with_name(f".{target.name}.partial")
    picture = draw(shot.label, shot.generator(seed))
    picture.save(partial, format="JPEG", quality=92, subsampling=0)
    partial.replace(target)


def take_all(root: Path, seed: int, shots: list[Shot], advance: Callable[[int], object]) -> None:
    """Draw pictures on every core, telling `advance` of each. Raises OSError on a full disk."""
    for folder in {(root / shot.path).parent for shot in shots}:
        folder.mkdir(parents=True, exist_ok=True)
    for done in _taken(root, seed, shots):
        advance(done)


def _taken(root: Path, seed: int, shots: list[Shot]) -> Iterator[int]:
    if len(shots) <= _FEW:
        for shot in shots:
            take(root, seed, shot)
            yield 1
        return
    rolls = [shots[start : start + 8] for start in range(0, len(shots), 8)]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), context, initializer=end_with_parent) as pool:
        yield from pool.map(_take_roll, rolls, [root] * len(rolls), [seed] * len(rolls))


def _take_roll(roll: list[Shot], root: Path, seed: int) -> int:
    for shot in roll:
        take(root, seed, shot)
    return len(roll)
