"""The first images of a channel against a sort of everything."""

import functools
import itertools

import numpy as np
import pytest

from pipeline.scan.topk import by_peak, empty_topk, keys_of, peak_of
from tests.pipeline.scan.batches import batch


def top_of(peaks, rows=None, ranks=3, top=None):
    found = batch(peaks, rows)
    top = top or empty_topk(found.peaks.shape[1], ranks)
    top.add(keys_of(~by_peak(found.peaks), found.rows), np.isfinite(found.peaks), found)
    return top


def merged(first, second):
    first.merge(second)
    return first


def test_of_equal_peaks_the_lower_image_row_comes_first():
    assert top_of([[0.5], [0.5], [0.9]], [3, 7, 8]).image[0].tolist() == [8, 3, 7]


def test_a_negative_zero_ties_with_zero():
    assert top_of([[-0.0], [0.0], [-0.0]], [1, 2, 3]).image[0].tolist() == [1, 2, 3]


def test_only_as_many_as_there_are_ranks_stay():
    top = top_of([[0.1], [0.4], [0.3], [0.2]])
    assert top.image[0].tolist() == [1, 2, 3]
    assert top.peak[0].tolist() == pytest.approx([0.4, 0.3, 0.2])


def test_the_cell_follows_its_image_and_an_empty_place_has_none():
    top = top_of([[0.1], [0.2]], [4, 6])
    assert top.cell[0].tolist() == [[1, 0], [4, 0], [-1, -1]]
    assert top.image[0].tolist() == [6, 4, -1]


def test_numbers_ascend_with_the_peaks_of_either_sign():
    peaks = np.array([[-3e38, -2, -1, -1e-40, 0, 1e-40, 1, 2, 3e38]], np.float32)
    assert (np.diff(by_peak(peaks).astype(np.int64)) > 0).all()
    assert peak_of(by_peak(peaks)[0]).tolist() == peaks[0].tolist()


def test_the_numbers_of_no_image_are_of_no_peak():
    top = empty_topk(1, 3)
    assert np.isnan(peak_of(top.last_order)).all()
    assert np.isnan(peak_of(~top.last_order)).all()


def test_the_last_order_is_that_of_the_last_image_or_of_the_limit():
    top = top_of([[5], [6], [7], [8]])
    assert peak_of(~top.last_order).tolist() == [6]
    top.limit = top_of([[9], [9], [9]]).key[:, -1]
    assert peak_of(~top.last_order).tolist() == [9]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_merging_ignores_the_order_of_parts(order):
    parts = [([[0.5], [0.1]], [0, 1]), ([[0.9]], [2]), ([[0.5], [0.5]], [3, 4])]
    top = functools.reduce(merged, [top_of(*parts[i]) for i in order])
    assert top.image[0].tolist() == [2, 0, 3]


@pytest.mark.parametrize("limited", [False, True])
def test_merging_random_parts_with_many_ties_equals_sorting_everything(limited):
    rng = np.random.default_rng(0)
    peaks = rng.integers(-3, 6, (100, 4)).astype(np.float32)
    top = empty_topk(4, 9)
    for rows in np.array_split(rng.permutation(100), 7):
        part = empty_topk(4, 9)
        if limited:
            part.limit = top.key[:, -1].copy()
        top_of(peaks[rows], rows, top=part)
        top.merge(part)
    for channel in range(4):
        best = sorted(range(100), key=lambda row: (-peaks[row, channel], row))[:9]
        assert top.image[channel].tolist() == best
        assert top.peak[channel].tolist() == peaks[best, channel].tolist()


def test_a_limit_keeps_out_what_the_larger_part_would_not_take():
    whole = top_of([[5], [6], [7]], [0, 1, 2])
    part = empty_topk(1, 3)
    part.limit = whole.key[:, -1].copy()
    top_of([[4], [5], [5.5]], [3, 4, 5], top=part)
    assert part.image[0].tolist() == [5, -1, -1]


@pytest.mark.parametrize("seed", range(20))
def test_places_of_key_peak_and_cell_are_those_of_a_sort_and_empty_ones_are_bare(seed):
    rng = np.random.default_rng(seed)
    images = int(rng.integers(1, 40))
    peaks = rng.integers(-2, 4, (images, 5)).astype(np.float32)
    peaks[rng.random(peaks.shape) < 0.5] = np.nan
    tops = [empty_topk(5, 6) for _ in range(3)]
    for rows in np.array_split(rng.permutation(images), 6):
        top_of(peaks[np.sort(rows)], np.sort(rows), top=tops[rng.integers(3)])
    parts = [{name: values.copy() for name, values in top.state().items()} for top in tops]
    whole = functools.reduce(merged, tops)
    for channel in range(5):
        ranked = [row for row in range(images) if np.isfinite(peaks[row, channel])]
        best = sorted(ranked, key=lambda row: (-peaks[row, channel], row))[:6]
        bare = 6 - len(best)
        assert whole.image[channel].tolist() == best + [-1] * bare
        assert whole.peak[channel].tolist() == [*peaks[best, channel], *[0] * bare]
        cells = [[row % 5, channel] for row in best]
        assert whole.cell[channel].tolist() == cells + [[-1, -1]] * bare
    for top, part in zip(tops[1:], parts[1:], strict=True):
        assert all((values == part[name]).all() for name, values in top.state().items())
