import numpy as np
import pytest

from atlas_site.selectivity import class_spread, top_classes


def spread(*rows: list[float]):
    return class_spread(np.array(rows, np.float32))


def test_a_channel_of_one_class_has_selectivity_one_and_one_effective_class():
    found = spread([0, 3, 0, 0])
    assert found.selectivity.tolist() == [1]
    assert found.effective_classes.tolist() == [1]


def test_a_channel_that_likes_all_alike_has_selectivity_zero_and_all_classes():
    found = spread([2, 2, 2, 2])
    assert found.selectivity.tolist() == [0]
    assert found.effective_classes == pytest.approx([4])


def test_selectivity_holds_the_best_class_against_the_mean_of_the_others():
    assert spread([6, 1, 3]).selectivity == pytest.approx([(6 - 2) / (6 + 2)])


def test_a_dead_channel_has_neither():
    found = spread([0, 0, 0])
    assert found.selectivity.tolist() == [0]
    assert found.effective_classes.tolist() == [0]


def test_a_class_without_an_image_counts_for_nothing():
    with_gap = spread([6, np.nan, 1, 3], [1, np.nan, 1, 1])
    without = spread([6, 1, 3], [1, 1, 1])
    assert with_gap.selectivity == pytest.approx(without.selectivity)
    assert with_gap.effective_classes == pytest.approx(without.effective_classes)


def test_negative_scores_count_as_nothing():
    assert spread([4, -2, -1]).selectivity.tolist() == [1]


def test_top_classes_are_ordered_and_leave_out_what_never_fired():
    assert top_classes(np.array([1, np.nan, 3, 0, 3], np.float32)) == [(2, 3), (4, 3), (0, 1)]
