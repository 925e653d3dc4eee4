import numpy as np

from demo.faces import face
from tests.demo.drawing import WIDTH, check_subject, straight


def test_a_subject_covers_the_middle_and_a_seed_decides_it():
    check_subject(face, {"left eye", "mouth", "nose", "right eye"})


def test_the_eyes_are_level_on_either_side_of_the_nose_and_the_mouth_is_below():
    layer = face(np.random.default_rng(0), straight())
    at = {name: (row, col) for name, row, col in layer.parts}
    assert at["left eye"][0] == at["right eye"][0] < at["nose"][0] < at["mouth"][0]
    assert at["left eye"][1] < at["nose"][1] == WIDTH / 2 < at["right eye"][1]
