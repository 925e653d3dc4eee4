import numpy as np

from demo.wheels import wheel
from tests.demo.drawing import HEIGHT, UNIT, WIDTH, check_subject, straight


def test_a_subject_covers_the_middle_and_a_seed_decides_it():
    check_subject(wheel, {"hub", "rim"})


def test_the_rim_is_above_the_hub_in_the_middle():
    layer = wheel(np.random.default_rng(0), straight())
    at = {name: (row, col) for name, row, col in layer.parts}
    assert at["hub"] == (HEIGHT / 2, WIDTH / 2)
    assert at["rim"][1] == WIDTH / 2
    assert at["hub"][0] - UNIT < at["rim"][0] < at["hub"][0] - 0.7 * UNIT
