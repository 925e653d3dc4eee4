import numpy as np
import pytest
import torch

from pipeline.training.augment import Crops, Warps, draw_views, relight


def ramp(count: int, side: int) -> torch.Tensor:
    """Squares whose red is the row, green the column, blue the image."""
    row, col = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    return torch.stack(
        [torch.stack([row, col, torch.full_like(row, image)], dim=2) for image in range(count)]
    ).to(torch.uint8)


def chance(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_a_crop_starts_at_its_corner_and_a_mirrored_one_runs_from_right_to_left():
    crops = Crops(torch.tensor([2, 0]), torch.tensor([1, 3]), torch.tensor([False, True]), crop=4)
    views = crops.views(ramp(2, 7))
    assert views[0, 0, :, 0].tolist() == [2, 3, 4, 5]
    assert views[0, 1, 0].tolist() == [1, 2, 3, 4]
    assert views[1, 1, 0].tolist() == [6, 5, 4, 3]
    assert views[:, 2, 0, 0].tolist() == [0, 1]


def test_crops_reach_every_corner_and_no_further():
    crops = draw_views("paper", 400, side=6, crop=4, generator=chance())
    assert isinstance(crops, Crops)
    assert set(crops.top.tolist()) == set(crops.left.tolist()) == {0, 1, 2}
    assert 0.4 < crops.mirrored.float().mean() < 0.6


@pytest.mark.parametrize("kind", ["paper", "strong"])
def test_equal_generators_give_equal_views_and_others_give_others(kind):
    squares = ramp(8, 20)
    one, same, other = (
        draw_views(kind, 8, 20, 16, chance(seed)).views(squares) for seed in (0, 0, 1)
    )
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


@pytest.mark.parametrize("kind", ["none", "paper", "strong"])
def test_a_process_that_takes_a_share_sees_what_one_alone_sees_there(kind):
    squares, draws = ramp(7, 20), draw_views(kind, 7, 20, 16, chance())
    share = slice(1, 7, 3)
    assert torch.equal(draws.share(share).views(squares[share]), draws.views(squares)[share])


def test_without_augmentation_every_view_is_the_centre():
    views = draw_views("none", 2, side=8, crop=4, generator=chance()).views(ramp(2, 8))
    assert views[1, 0, :, 0].tolist() == [2, 3, 4, 5]


@pytest.mark.parametrize("kind", ["none", "paper", "strong"])
def test_views_are_floats_0_to_255_laid_out_channels_last(kind):
    squares = torch.randint(256, (3, 20, 20, 3), dtype=torch.uint8, generator=chance())
    views = draw_views(kind, 3, 20, 16, chance()).views(squares)
    assert views.shape == (3, 3, 16, 16)
    assert views.dtype == torch.float32
    assert views.is_contiguous(memory_format=torch.channels_last)
    assert 0 <= views.min() <= views.max() <= 255


def test_a_warp_of_the_whole_square_in_plain_light_is_the_square_and_a_negative_width_mirrors_it():
    squares = torch.randint(256, (2, 12, 12, 3), dtype=torch.uint8, generator=chance())
    warp = Warps(
        height=torch.ones(2),
        width=torch.tensor([1.0, -1.0]),
        centre=torch.zeros(2, 2),
        light=torch.ones(2, 3),
        crop=12,
    )
    views = warp.views(squares).permute(0, 2, 3, 1)
    torch.testing.assert_close(views[0], squares[0].float(), atol=1e-3, rtol=0)
    torch.testing.assert_close(views[1], squares[1].flip(1).float(), atol=1e-3, rtol=0)


def test_a_warp_shows_the_part_about_its_centre():
    part = Warps(
        height=torch.tensor([0.5]),
        width=torch.tensor([0.5]),
        centre=torch.tensor([[0.5, -0.5]]),
        light=torch.ones(1, 3),
        crop=8,
    )
    views = part.views(ramp(1, 16))
    np.testing.assert_allclose(views[0, 0, :, 0], np.arange(8), atol=1e-3)
    np.testing.assert_allclose(views[0, 1, 0], np.arange(8, 16), atol=1e-3)


def test_light_scales_brightness_then_contrast_about_grey_then_saturation_about_the_lightness():
    pixel = torch.tensor([100.0, 50.0, 0.0]).reshape(1, 3, 1, 1)
    bright = relight(pixel, torch.tensor([[1.2, 1.0, 1.0]])).flatten().tolist()
    flat = relight(pixel, torch.tensor([[1.0, 0.0, 1.0]])).flatten().tolist()
    grey = relight(pixel, torch.tensor([[1.0, 1.0, 0.0]])).flatten().tolist()
    assert bright == pytest.approx([120, 60, 0])
    assert flat == pytest.approx([127.5] * 3)
    assert grey == pytest.approx([0.299 * 100 + 0.587 * 50] * 3, rel=1e-5)
