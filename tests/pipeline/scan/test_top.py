"""The top of a channel against a sort of everything."""

import functools
import itertools

import numpy as np
import pytest

from pipeline.scan.top import Entries, empty_top


def entries(*found: tuple[int, float, int]) -> Entries:
    """(channel, activation, image); the cell repeats the image."""
    channel, activation, image = zip(*found, strict=True)
    image = np.array(image, np.int32)
    return Entries(
        np.array(channel, np.int64),
        np.array(activation, np.float32),
        image,
        np.stack([image, image], axis=1),
    )


def top_of(*found: tuple[int, float, int]):
    top = empty_top(channels=2, ranks=3)
    top.add(entries(*found))
    return top


def merged(first, second):
    first.merge(second)
    return first


def test_of_equal_peaks_the_lower_image_row_comes_first():
    assert top_of((0, 0.5, 7), (0, 0.5, 3), (0, 0.9, 8)).image[0].tolist() == [8, 3, 7]


def test_only_as_many_as_there_are_ranks_stay():
    top = top_of((1, 0.1, 0), (1, 0.4, 1), (1, 0.3, 2), (1, 0.2, 3))
    assert top.image[1].tolist() == [1, 2, 3]
    assert top.activation[1].tolist() == pytest.approx([0.4, 0.3, 0.2])


def test_the_cell_follows_its_image():
    assert top_of((0, 0.1, 4), (0, 0.2, 6)).cell[0].tolist() == [[6, 6], [4, 4], [-1, -1]]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_merging_ignores_the_order_of_parts(order):
    parts = [
        ((0, 0.5, 0), (0, 0.1, 1)),
        ((0, 0.9, 2),),
        ((0, 0.5, 3), (0, 0.5, 4)),
    ]
    top = functools.reduce(merged, [top_of(*parts[i]) for i in order])
    assert top.image[0].tolist() == [2, 0, 3]


def test_merging_random_parts_with_many_ties_equals_sorting_everything():
    rng = np.random.default_rng(0)
    peaks = rng.integers(1, 6, (100, 4)).astype(np.float32)
    top = empty_top(4, 9)
    for rows in np.array_split(rng.permutation(100), 7):
        part = empty_top(4, 9)
        image, channel = (axis.ravel() for axis in np.meshgrid(rows, range(4)))
        cell = np.stack([image, channel], axis=1).astype(np.int32)
        part.add(Entries(channel, peaks[image, channel], image.astype(np.int32), cell))
        top.merge(part)
    for channel in range(4):
        best = sorted(range(100), key=lambda row: (-peaks[row, channel], row))[:9]
        assert top.image[channel].tolist() == best
