import numpy as np

from demo.flowers import flower
from tests.demo.drawing import HEIGHT, WIDTH, check_subject, straight


def test_a_subject_covers_the_middle_and_a_seed_decides_it():
    check_subject(flower, {"heart"})


def test_the_heart_is_the_origin_of_the_plane():
    layer = flower(np.random.default_rng(0), straight())
    assert layer.parts == (("heart", HEIGHT / 2, WIDTH / 2),)
