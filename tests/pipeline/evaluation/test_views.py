import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms.v2 import functional

from pipeline.dataset.framing import centre_square
from pipeline.evaluation.views import centre_crop, ten_crops


def picture(width: int, height: int) -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


@pytest.mark.parametrize(("resize", "crop"), [(40, 32), (40, 24), (40, 40)])
def test_the_ten_are_torchvisions_ten_crops_of_the_resized_centre_square(resize, crop):
    image = picture(90, 70)
    wide = torch.tensor(centre_square(image, resize, resize)).permute(2, 0, 1)
    theirs = {crop.numpy().tobytes() for crop in functional.ten_crop(wide, [crop, crop])}
    ours = {view.transpose(2, 0, 1).tobytes() for view in ten_crops(image, resize, crop)}
    assert ours == theirs


@pytest.mark.parametrize(("resize", "crop"), [(41, 32), (40, 31)])
def test_the_first_is_the_network_input_to_the_bit_whatever_the_remainder(resize, crop):
    for width in range(90, 98):
        image = picture(width, 70)
        expected = centre_square(image, resize, crop)
        assert np.array_equal(ten_crops(image, resize, crop)[0], expected)
        [only] = centre_crop(image, resize, crop)
        assert np.array_equal(only, expected)
