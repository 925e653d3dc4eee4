"""Class means: exact sums, whatever the order."""

import copy
from fractions import Fraction

import numpy as np
import pytest

from pipeline.scan.class_means import ClassMeans, empty_class_sums
from tests.pipeline.scan.batches import batch, facts


def means_of(peaks, labels, orders=1, seed=0):
    means = empty_class_sums(peaks.shape[1])
    for rows in np.array_split(np.random.default_rng(seed).permutation(len(peaks)), orders):
        part = empty_class_sums(peaks.shape[1])
        part.add(peaks[rows], labels[rows])
        means.merge(part)
    return means


def test_means_are_those_of_each_class():
    peaks = np.array([[1, 10], [3, 20], [5, 60]], np.float32)
    means = means_of(peaks, np.array([2, 0, 2])).means(4)
    np.testing.assert_array_equal(means, [[3, np.nan, 3, np.nan], [20, np.nan, 35, np.nan]])


def test_every_order_gives_the_same_bits():
    rng = np.random.default_rng(3)
    peaks = np.exp(rng.normal(size=(200, 5)) * 5).astype(np.float32)
    labels = rng.integers(0, 7, 200)
    expected = means_of(peaks, labels).means(7).tobytes()
    for seed in range(5):
        assert means_of(peaks, labels, orders=9, seed=seed).means(7).tobytes() == expected


def test_an_image_of_no_known_class_is_left_out():
    means = means_of(np.ones((2, 1), np.float32), np.array([-1, 0]))
    assert means.images.tolist() == [1]


def test_what_is_not_a_finite_number_counts_as_nothing():
    peaks = np.array([[np.nan], [np.inf], [6.0]], np.float32)
    assert means_of(peaks, np.zeros(3, int)).means(1).tolist() == [[2.0]]


def test_sums_of_a_billion_images_and_of_huge_peaks_are_exact():
    """Doubled thirty times; compared with Python's own whole numbers."""
    peaks = np.array([[3.25e12, -1.5, 2.0**-30], [1e6 + 1 / 3, -7e11, 5.0]], np.float32)
    means = empty_class_sums(3)
    means.add(peaks, np.zeros(2, int))
    for _ in range(30):
        means.merge(copy.deepcopy(means))
    units = [[int(Fraction(float(p)) * 2**30) for p in row] for row in peaks]
    expected = [sum(column) * 2**30 for column in zip(*units, strict=True)]
    high, low = means.sums[:, 0].tolist()
    assert [h * 2**40 + part for h, part in zip(high, low, strict=True)] == expected
    assert means.means(1)[:, 0].tolist() == pytest.approx([e / 2**61 for e in expected], rel=1e-7)


def test_a_peak_past_the_largest_counts_as_it():
    peaks = np.array([[3e38], [-3e38], [3e38]], np.float32)
    assert means_of(peaks, np.array([0, 1, 0])).means(2).tolist() == [[2.0**42, -(2.0**42)]]


def test_the_means_are_labelled_with_the_class_names():
    statistic = ClassMeans(facts(2, classes=("ape", "bee")))
    statistic.add(batch([[1, 2], [3, 6], [5, 10]], labels=[1, 0, 1]))
    found = statistic.result()
    assert found["class"].values.tolist() == ["ape", "bee"]
    assert found["mean_peak_by_class"].dimensions == ("channel", "class")
    assert found["mean_peak_by_class"].values.tolist() == [[3, 3], [6, 6]]
