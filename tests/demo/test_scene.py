"""What the demo's pictures must be, whatever they show."""

import numpy as np
import pytest

from demo import CLASSES, draw
from demo.layer import PaintLayer
from demo.scene import WITH_PARTS, draw_with_parts


def generator(number):
    return np.random.default_rng([7, number])


@pytest.fixture(scope="module")
def pictures():
    """Eight pictures of each class."""
    return {label: [draw(label, generator(number)) for number in range(8)] for label in CLASSES}


def test_there_are_sixteen_classes_in_alphabetical_order_with_names_fit_for_folders():
    assert len(set(CLASSES)) == 16
    assert list(CLASSES) == sorted(CLASSES)
    assert all(label.isalpha() and label.islower() for label in CLASSES)


@pytest.mark.parametrize("label", CLASSES)
def test_every_class_draws_rgb_pictures_of_a_photographs_shape(pictures, label):
    for picture in pictures[label]:
        short, long = sorted(picture.size)
        assert picture.mode == "RGB"
        assert 184 <= short <= long <= 1.35 * short


@pytest.mark.parametrize("label", CLASSES)
def test_the_generator_alone_decides_a_picture(pictures, label):
    assert draw(label, generator(3)).tobytes() == pictures[label][3].tobytes()
    assert len({picture.tobytes() for picture in pictures[label]}) == 8


@pytest.mark.parametrize("label", CLASSES)
def test_no_picture_is_nearly_one_colour_or_mostly_clipped(pictures, label):
    for picture in pictures[label]:
        pixels = np.asarray(picture).astype(float)
        assert pixels.std() > 12
        assert np.mean((pixels < 2) | (pixels > 253)) < 0.5


def test_mean_colour_does_not_give_the_class_away(pictures):
    """The class whose mean colour is nearest is seldom right; chance is 1 in 16."""
    mean = np.array(
        [[np.asarray(picture).mean(axis=(0, 1)) for picture in pictures[c]] for c in CLASSES]
    )
    centre = mean[:, :4].mean(axis=1)
    distance = np.linalg.norm(mean[:, 4:, None] - centre, axis=-1)
    right = distance.argmin(axis=-1) == np.arange(len(CLASSES))[:, None]
    assert right.mean() < 0.35


def test_pictures_have_the_falling_spectrum_of_natural_images(pictures):
    """Power falls about as 1/f**2: its slope in log-log lies between -1.2 and -3.2."""
    assert -3.2 < np.median([slope(pictures[label][0]) for label in CLASSES]) < -1.2


def slope(picture):
    """Fit the exponent of the power, averaged over directions, from 4 to 59 cycles."""
    grey = np.asarray(picture.convert("L"))[:176, :176]
    window = np.hanning(176)[:, None] * np.hanning(176)
    power = np.abs(np.fft.fft2((grey - grey.mean()) * window)) ** 2
    axis = np.fft.fftfreq(176) * 176
    ring = np.hypot(axis[:, None], axis).round().astype(int)
    mean = np.bincount(ring.ravel(), power.ravel()) / np.bincount(ring.ravel())
    return np.polyfit(np.log(np.arange(4, 60)), np.log(mean[4:60]), 1)[0]


@pytest.mark.parametrize("label", CLASSES)
def test_the_parts_of_some_subjects_are_known_and_lie_in_the_picture(label):
    seen = set()
    for number in range(4):
        picture, parts = draw_with_parts(label, generator(number))
        seen |= {name for name, _, _ in parts}
        assert all(
            0 <= row < picture.height and 0 <= col < picture.width
            for _, row, col in parts
            if label in ("eye", "face")
        )
    assert bool(seen) == (label in WITH_PARTS)


def test_a_pupil_is_dark_where_it_is_said_to_be():
    for number in range(8):
        picture, parts = draw_with_parts("eye", generator(number))
        for _, row, col in parts:
            grey = np.asarray(picture.convert("L")).astype(float)
            spot = grey[int(row) - 2 : int(row) + 3, int(col) - 2 : int(col) + 3]
            assert spot.mean() < 0.5 * grey.mean()


def test_a_part_behind_something_is_not_listed(monkeypatch):
    """What stands before covers the left half."""

    def left_half(rng, height, width):
        alpha = np.zeros((height, width), np.float32)
        alpha[:, : width // 2] = 1
        return PaintLayer(np.zeros((height, width, 3), np.float32), alpha, alpha)

    monkeypatch.setattr("demo.scene.occluder", left_half)
    hidden = 0
    for number in range(8):
        picture, parts = draw_with_parts("face", generator(number))
        if np.asarray(picture)[:, : picture.width // 3].mean() < 30:  # it stood there
            hidden += 1
            assert all(col >= picture.width // 2 for _, _, col in parts)
    assert hidden
