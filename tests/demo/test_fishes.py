import numpy as np

from demo.fishes import fish
from tests.demo.drawing import check_subject, straight


def test_a_subject_covers_the_middle_and_a_seed_decides_it():
    check_subject(fish, {"eye", "mouth", "tail"})


def test_it_looks_left_or_right_with_the_tail_behind():
    looks = set()
    for seed in range(8):
        layer = fish(np.random.default_rng(seed), straight())
        at = {name: col for name, _, col in layer.parts}
        assert (at["mouth"] < at["eye"] < at["tail"]) or (at["mouth"] > at["eye"] > at["tail"])
        looks.add(at["eye"] < at["tail"])
    assert looks == {True, False}
