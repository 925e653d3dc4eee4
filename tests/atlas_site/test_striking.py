from atlas_site.striking import handful, striking
from tests.atlas_site.plain_layers import channel

A = channel(0, 0.9, (1, 2), "cat")
SAME_IMAGES = channel(1, 0.8, (2, 3), "dog")
SAME_CLASS = channel(2, 0.7, (4, 5), "cat")
OTHER = channel(3, 0.6, (6, 7), "fox")
PARTIAL = channel(4, 1.0, (8,), "owl")
DEAD = channel(5, 0.0, (), "")
ALL = [DEAD, PARTIAL, OTHER, SAME_CLASS, SAME_IMAGES, A]


def test_the_most_selective_with_new_images_and_a_new_class_come_first():
    assert striking(ALL, 2) == [A, OTHER]


def test_then_new_images_then_any_that_fires_on_enough():
    assert striking(ALL, 9) == [A, OTHER, SAME_CLASS, SAME_IMAGES]


def test_equal_ones_come_by_number():
    twins = [channel(n, 0.5, (n,), str(n)) for n in (3, 1, 2)]
    assert [c.number for c in striking(twins, 3)] == [1, 2, 3]
    assert striking([DEAD], 3) == []


def test_a_weak_channel_is_not_striking():
    """The median peak is 1."""
    channels = [channel(n, 0.5, (n,), str(n), peak) for n, peak in enumerate([0.9, 4.0, 1.0, 2.0])]
    weak = channel(4, 1.0, (4,), "4", 0.1)
    assert [c.number for c in striking([*channels, weak], 9)] == [0, 1, 2, 3]


def test_a_handful_takes_of_each_layer_in_turn_and_new_classes_first():
    deep = [channel(n, 0.5, (n,), name) for n, name in enumerate(["cat", "dog", "cat", "owl"])]
    shallow = [channel(n, 0.5, (n,), name) for n, name in enumerate(["cat", "cat", "fox"], 10)]
    waiting = [deep, shallow]
    assert [c.number for c in handful(waiting)] == [0, 12, 1, 10, 3, 11]
    assert [c.number for c in handful(waiting)] == [2]
    assert handful(waiting) == []
