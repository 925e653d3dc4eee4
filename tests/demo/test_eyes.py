import numpy as np

from demo.eyes import eye
from tests.demo.drawing import check_subject, straight


def test_a_subject_covers_the_middle_and_a_seed_decides_it():
    check_subject(eye, {"pupil"})


def test_the_pupil_is_dark_where_it_is_marked():
    for seed in range(4):
        layer = eye(np.random.default_rng(seed), straight())
        ((_, row, col),) = layer.parts
        assert layer.colour[int(row), int(col)].max() < 0.1
