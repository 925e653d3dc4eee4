import numpy as np
import pytest

from demo.letters import _strokes, letters
from tests.demo.drawing import check_subject


def test_a_subject_covers_the_middle_and_a_seed_decides_it():
    check_subject(letters, set())


@pytest.mark.parametrize("name", "ABCDEFGHJKMNOPRSTUWXYZ")
def test_every_letter_is_two_units_high_and_no_wider(name):
    points = np.concatenate(_strokes(name))
    low, high = points.min(axis=0), points.max(axis=0)
    assert high[1] - low[1] == pytest.approx(2, abs=0.1)
    assert 0.5 < high[0] - low[0] < 2
