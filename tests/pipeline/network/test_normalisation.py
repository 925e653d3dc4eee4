import torch

from pipeline.network.normalisation import Normalisation

COLOURS = Normalisation(
    torch.tensor([128.0, 130.0, 126.0]).reshape(3, 1, 1),
    torch.tensor([0.5, 1.0, 2.0]).reshape(3, 1, 1),
)


def test_the_mean_is_subtracted_and_the_difference_scaled_by_colour():
    pixels = torch.full((1, 3, 2, 2), 130, dtype=torch.uint8)
    assert COLOURS(pixels)[0, :, 0, 0].tolist() == [1.0, 0.0, 8.0]


def test_overwriting_gives_the_same_in_place():
    pixels = torch.full((1, 3, 2, 2), 130.0)
    result = COLOURS.overwrite(pixels)
    assert result.data_ptr() == pixels.data_ptr()
    assert pixels[0, :, 1, 1].tolist() == [1.0, 0.0, 8.0]
