"""Growing histograms against bins chosen in hindsight."""

import numpy as np
import pytest

from pipeline.scan.histogram import BINS, Histogram
from tests.pipeline.scan.batches import batch, facts


def counted(peaks, *, signed=False):
    histogram = Histogram(facts(peaks.shape[1], signed=signed))
    histogram.add(batch(peaks))
    return histogram


@pytest.mark.parametrize("signed", [False, True])
def test_counts_equal_numpy_s_over_the_same_edges(signed):
    peaks = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32) * 10
    peaks = peaks if signed else np.abs(peaks)
    found = counted(peaks, signed=signed)
    expected = [np.histogram(peaks[:, c], found.edges)[0] for c in range(3)]
    assert found.counts.tolist() == np.array(expected).tolist()


@pytest.mark.parametrize("signed", [False, True])
def test_any_order_of_parts_gives_the_same_counts_and_edges(signed):
    rng = np.random.default_rng(1)
    peaks = np.exp(rng.normal(size=(60, 2)) * 4).astype(np.float32)
    peaks *= rng.choice([-1, 1], peaks.shape).astype(np.float32) if signed else 1
    whole = counted(peaks, signed=signed)
    for _ in range(5):
        together = Histogram(facts(2, signed=signed))
        for rows in np.array_split(rng.permutation(60), 6):
            together.merge(counted(peaks[rows], signed=signed))
        assert together.edges == whole.edges
        assert together.counts.tolist() == whole.counts.tolist()


def test_the_largest_peak_lies_in_the_upper_half_of_the_range():
    assert counted(np.array([[5.0]], np.float32)).edges[-1] == 8


def test_a_power_of_two_lies_below_the_end():
    found = counted(np.array([[4.0]], np.float32))
    assert found.edges[-1] == 8
    assert np.flatnonzero(found.counts[0]).tolist() == [BINS // 2]


def test_what_is_not_a_finite_number_is_not_counted():
    assert counted(np.array([[np.nan], [np.inf], [1.0]], np.float32)).counts.sum() == 1


def test_the_bins_are_labelled_with_their_lower_edges():
    found = counted(np.array([[5.0]], np.float32)).result()
    assert found["histogram"].attributes["edges"][-1] == 8
    assert found["bin"].values.tolist() == found["histogram"].attributes["edges"][:-1]
