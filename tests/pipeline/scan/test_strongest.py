import numpy as np

from pipeline.scan.strongest import StrongestImages
from tests.pipeline.scan.batches import batch, facts

PEAKS = [[0.0], [3.0], [-1.0], [np.nan], [5.0], [np.inf], [3.0]]


def strongest(peaks=PEAKS, *, signed=False, ranks=4):
    statistic = StrongestImages(facts(1, signed=signed, ranks=ranks))
    statistic.add(batch(peaks))
    return statistic


def values(statistic):
    return {name: variable.values for name, variable in statistic.result().items()}


def test_only_numbers_above_0_count_after_a_relu():
    found = values(strongest())
    assert found["image"].tolist() == [[4, 1, 6, -1]]
    assert found["activation"].tolist() == [[5, 3, 3, 0]]


def test_without_a_relu_all_numbers_count():
    assert values(strongest(signed=True, ranks=6))["image"].tolist() == [[4, 1, 6, 0, 2, -1]]


def test_an_entry_has_its_cell_and_box_and_a_missing_one_has_none():
    found = values(strongest())
    assert found["cell"].tolist() == [[[4, 0], [1, 0], [1, 0], [-1, -1]]]
    assert found["box"].tolist() == [[[7, -1, 14, 6], [1, -1, 8, 6], [1, -1, 8, 6], [0] * 4]]


def test_only_peaks_that_enter_are_wanted():
    later = batch([[2.0], [4.0], [0.0], [np.nan]], [7, 8, 9, 10])
    wanted = strongest(ranks=3).wants(later.rows)
    assert wanted(later.peaks[:1], slice(0, 1)).tolist() == [[False]]
    assert wanted(later.peaks[1:], slice(1, 4)).tolist() == [[True], [False], [False]]


def test_while_a_place_is_empty_every_peak_that_counts_is_wanted():
    later = batch([[2.0], [-4.0], [0.0], [np.nan]], [7, 8, 9, 10])
    for signed, expected in ((False, [True, False, False]), (True, [True, True, True])):
        wanted = strongest(signed=signed, ranks=9).wants(later.rows)
        assert wanted(later.peaks, slice(0, 4))[:, 0].tolist() == [*expected, False]


def test_limits_leave_out_what_the_whole_would_not_take():
    part = StrongestImages(facts(1, ranks=3))
    part.set_limits(strongest(ranks=3).limits())
    part.add(batch([[2.0], [4.0]], [7, 8]))
    assert values(part)["image"].tolist() == [[8, -1, -1]]


def test_the_arrays_are_labelled():
    found = values(strongest())
    assert found["rank"].tolist() == [0, 1, 2, 3]
    assert found["axis"].tolist() == ["row", "col"]
    assert found["edge"].tolist() == ["top", "left", "bottom", "right"]
