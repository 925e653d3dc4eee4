import numpy as np
import pytest

from pipeline.evaluation.rates import error_rate, error_rates, mean_class_accuracy

CHANCES = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.4, 0.4, 0.2], [0.2, 0.5, 0.3]], np.float32)
LABELS = np.array([0, 1, 1, 2])


def test_an_image_counts_as_wrong_unless_its_class_is_among_the_most_probable():
    assert error_rate(CHANCES, np.array([0, 1, 0, 2]), 1) == 0.5
    assert error_rate(CHANCES, np.array([0, 1, 0, 2]), 2) == 0.0
    assert error_rate(CHANCES, np.array([2, 0, 2, 0]), 2) == 1.0


def test_of_equal_probabilities_the_earlier_class_wins():
    tie = np.full((1, 4), 0.25, np.float32)
    assert [error_rate(tie, np.array([label]), 2) for label in range(4)] == [0, 0, 1, 1]


def test_more_places_than_classes_leave_no_error():
    assert error_rate(CHANCES, LABELS, 5) == 0.0


def test_every_class_with_images_counts_alike_in_the_mean_class_accuracy():
    labels = np.array([0, 1, 1, 1])
    assert mean_class_accuracy(CHANCES, labels) == pytest.approx((1 + 1 / 3) / 2)


def test_the_rates_of_one_crop_and_ten_are_kept_apart():
    rates = error_rates(CHANCES, CHANCES[:, ::-1].copy(), np.array([0, 2, 0, 1]))
    assert rates.images == 4
    assert rates.top1_error == 0.0
    assert rates.top1_error_10crop == 0.75
