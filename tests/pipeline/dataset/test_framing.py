"""Squares against torchvision's own transforms."""

import threading

import numpy as np
import pytest
from PIL import Image, ImageOps
from torchvision.transforms.v2 import functional

from pipeline.dataset.framing import centre_square
from tests.squares import load_square

RNG = np.random.default_rng(7)
NOISE = RNG.integers(0, 256, (37, 53, 3)).astype(np.uint8)
"""Height 37, width 53."""


def by_torchvision(image, resize, crop):
    resized = functional.resize(image, [resize], antialias=True)
    return np.asarray(functional.center_crop(resized, [crop, crop]))


SIZES = [(500, 375), (375, 500), (224, 224), (31, 300), (300, 31), (1, 16), (33, 2), (257, 256)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("resize", "crop"), [(256, 224), (176, 160), (64, 64), (33, 20)])
def test_square_is_torchvision_to_the_bit(size, resize, crop):
    image = Image.fromarray(RNG.integers(0, 256, (*size, 3)).astype(np.uint8))
    assert np.array_equal(centre_square(image, resize, crop), by_torchvision(image, resize, crop))


@pytest.mark.parametrize("size", [(1, 500), (500, 1), (2, 401), (400, 2), (3, 1001)])
def test_square_of_a_very_long_image_is_that_of_the_whole_within_a_pixel(size):
    place = np.arange(max(size)) - max(size) / 2
    wave = 128 + 100 * np.sin(place[:, None] / 9 + [0.0, 1.0, 2.0])
    line = np.rint(wave).astype(np.uint8).reshape(*(side if side > 3 else 1 for side in size), 3)
    image = Image.fromarray(np.broadcast_to(line, (*size, 3)).copy())
    difference = centre_square(image, 32, 32).astype(int) - by_torchvision(image, 32, 32)
    step_per_output_pixel = 100 / 9 * min(size) / 32
    assert np.abs(difference).max() <= np.ceil(step_per_output_pixel) + 1


def test_a_very_long_image_needs_little_memory():
    line = Image.fromarray(np.tile(np.uint8([[[9, 8, 7]]]), (1, 1_000_000, 1)))
    assert (centre_square(line, 256, 224) == [9, 8, 7]).all()
    assert (centre_square(line.transpose(Image.Transpose.ROTATE_90), 256, 224) == [9, 8, 7]).all()


def test_one_pixel_is_an_image_of_one_colour():
    assert (centre_square(Image.new("RGB", (1, 1), (1, 2, 3)), 40, 32) == [1, 2, 3]).all()


def test_threads_get_the_pixels_of_one_thread(tmp_path):
    files = [tmp_path / f"{number}.jpg" for number in range(12)]
    for file in files:
        Image.fromarray(RNG.integers(0, 256, (60, 90, 3)).astype(np.uint8)).save(file)
    alone = [load_square(file, 48, 40) for file in files]
    together = [None] * len(files)

    def work(place):
        together[place] = load_square(files[place], 48, 40)

    threads = [threading.Thread(target=work, args=(place,)) for place in range(len(files))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))


def test_the_image_given_stays_as_it_was():
    image = ImageOps.mirror(Image.fromarray(NOISE))
    before = np.array(image)
    centre_square(image, 20, 20)
    assert np.array_equal(np.asarray(image), before)
