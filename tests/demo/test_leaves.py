import numpy as np

from demo.leaves import leaf, one_leaf
from demo.plate import Plate
from tests.demo.drawing import HEIGHT, check_subject, straight


def test_a_subject_covers_the_middle_and_a_seed_decides_it():
    check_subject(leaf, set())


def test_a_leaf_that_points_up_is_symmetrical_but_for_its_spots_and_stalk():
    for kind in range(4):
        plate = Plate(straight())
        one_leaf(np.random.default_rng(3), plate, kind, (0.2, 0.6, 0.2), (0.0, 0.0, 1.0, 0.0))
        blade = plate.layer().alpha[: HEIGHT // 2 + 10]
        assert np.abs(blade - blade[:, ::-1]).mean() < 0.02
