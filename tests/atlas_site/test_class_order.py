import numpy as np

from atlas_site.class_order import class_order


def test_classes_that_are_confused_are_neighbours_and_others_are_left_out():
    """0 with 3 and 3 with 5; apart from them 1 with 4; 2 and 6 are always right."""
    counts = {(0, 3): 4, (3, 0): 4, (5, 3): 2, (1, 4): 3, (2, 2): 9, (6, 6): 9}
    assert class_order(counts) in ([0, 3, 5, 1, 4], [5, 3, 0, 1, 4], [0, 3, 5, 4, 1])


def test_a_thousand_classes_in_groups_of_five_are_found_again():
    """Each class is taken for every other of its group three times, for one outside once."""
    shuffled = np.random.default_rng(0).permutation(1000).tolist()
    counts = {}
    for place, number in enumerate(shuffled):
        group = place // 5 * 5
        counts |= {(number, shuffled[n]): 3 for n in range(group, group + 5) if n != place}
        counts[number, shuffled[(place + 500) % 1000]] = 1
    order = class_order(counts)
    assert sorted(order) == list(range(1000))
    groups = np.argsort(shuffled)[order] // 5
    assert np.count_nonzero(np.diff(groups)) == 199


def test_no_mistake_gives_no_order():
    assert class_order({(0, 0): 5, (1, 1): 2}) == []
