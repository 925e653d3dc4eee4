"""An order of classes in which those that are taken for each other are neighbours."""

from collections.abc import Mapping

import numpy as np

ORDERED_CLASSES = 1000
"""Of more, those with the most images taken for another or of another."""


def class_order(counts: Mapping[tuple[int, int], int]) -> list[int]:
    """The classes that are confused with another, near what they are confused with.

    Groups are joined two at a time, those first whose pairs of classes are confused most in the
    mean, and laid end to end so that the ends that meet are confused most. `counts` are of images
    by (label, predicted).
    """
    classes = _most_confused(counts)
    place = {number: at for at, number in enumerate(classes)}
    confused = np.zeros((len(classes), len(classes)))
    for (label, predicted), count in counts.items():
        if label != predicted and label in place and predicted in place:
            confused[place[label], place[predicted]] += count
            confused[place[predicted], place[label]] += count
    groups, between = {at: [at] for at in range(len(classes))}, confused.copy()
    mean, sizes = confused.copy(), np.ones(len(classes))
    while mean.any():
        one, other = sorted(map(int, np.unravel_index(mean.argmax(), mean.shape)))
        groups[one] = _end_to_end(groups[one], groups.pop(other), confused)
        sizes[one] += sizes[other]
        between[one] += between[other]
        between[:, one] = between[one]
        between[one, one] = between[other] = between[:, other] = 0
        mean[one] = mean[:, one] = between[one] / (sizes[one] * sizes)
        mean[other] = mean[:, other] = 0
    return [classes[at] for group in groups.values() for at in group]


def _most_confused(counts: Mapping[tuple[int, int], int]) -> list[int]:
    """Classes by the images that are taken for another or of another, of equal ones the first."""
    wrong: dict[int, int] = {}
    for (label, predicted), count in counts.items():
        if label != predicted and count:
            wrong[label] = wrong.get(label, 0) + count
            wrong[predicted] = wrong.get(predicted, 0) + count
    return sorted(wrong, key=lambda number: (-wrong[number], number))[:ORDERED_CLASSES]


def _end_to_end(one: list[int], other: list[int], confused: np.ndarray) -> list[int]:
    """Two groups laid so that the classes that meet are confused most."""
    turned = [(a, b) for a in (one, one[::-1]) for b in (other, other[::-1])]
    first, second = max(turned, key=lambda pair: confused[pair[0][-1], pair[1][0]])
    return first + second
