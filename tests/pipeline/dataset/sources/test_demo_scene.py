"""What the demo's pictures must be, whatever they show."""

import numpy as np
import pytest

from pipeline.dataset.sources.demo import CLASSES, draw


def generators(count):
    return [np.random.default_rng([7, number]) for number in range(count)]


@pytest.mark.parametrize("label", CLASSES)
def test_every_class_draws_rgb_pictures_of_a_photographs_shape(label):
    for rng in generators(4):
        picture = draw(label, rng)
        short, long = sorted(picture.size)
        assert picture.mode == "RGB"
        assert 184 <= short <= long <= 1.35 * short


@pytest.mark.parametrize("label", CLASSES)
def test_the_generator_alone_decides_a_picture(label):
    first, second, other = (draw(label, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert first.tobytes() == second.tobytes()
    assert first.tobytes() != other.tobytes()


@pytest.mark.parametrize("label", CLASSES)
def test_no_picture_is_nearly_one_colour_or_mostly_clipped(label):
    for rng in generators(4):
        pixels = np.asarray(draw(label, rng)).astype(float)
        assert pixels.std() > 12
        assert np.mean((pixels < 2) | (pixels > 253)) < 0.5


def test_there_are_sixteen_classes_in_alphabetical_order_with_names_fit_for_folders():
    assert len(set(CLASSES)) == 16
    assert list(CLASSES) == sorted(CLASSES)
    assert all(label.isalpha() and label.islower() for label in CLASSES)


def test_mean_colour_does_not_give_the_class_away():
    """Nearest class mean of the mean colour is right little more often than chance, 1 in 16."""
    mean = np.array(
        [
            [np.asarray(draw(label, rng)).mean(axis=(0, 1)) for rng in generators(12)]
            for label in CLASSES
        ]
    )
    centre = mean[:, :6].mean(axis=1)
    distance = np.linalg.norm(mean[:, 6:, None] - centre, axis=-1)
    right = distance.argmin(axis=-1) == np.arange(len(CLASSES))[:, None]
    assert right.mean() < 0.35


def test_pictures_have_the_falling_spectrum_of_natural_images():
    """Power falls about as 1/f**2: its slope in log-log lies between -1.2 and -3.2."""
    slopes = []
    for label in CLASSES:
        grey = np.asarray(draw(label, np.random.default_rng(11)).convert("L"))[:176, :176]
        window = np.hanning(176)[:, None] * np.hanning(176)
        power = np.abs(np.fft.fft2((grey - grey.mean()) * window)) ** 2
        axis = np.fft.fftfreq(176) * 176
        ring = np.hypot(axis[:, None], axis).round().astype(int)
        total = np.bincount(ring.ravel(), power.ravel()) / np.bincount(ring.ravel())
        frequency = np.arange(4, 60)
        slopes.append(np.polyfit(np.log(frequency), np.log(total[4:60]), 1)[0])
    assert -3.2 < np.median(slopes) < -1.2
