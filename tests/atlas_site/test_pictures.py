import io

import numpy as np
import pytest
from PIL import Image

from atlas_site.pictures import (
    TileSize,
    block,
    grey_outside,
    grid_side,
    pair,
    projection_tiles,
    resized,
    sheet,
    webp,
)
from atlas_site.sprites import Grid


def flat(value: int, px: int = 2) -> np.ndarray:
    return np.full((px, px, 3), value, np.uint8)


def test_pixels_outside_the_image_are_mid_grey_and_those_inside_untouched():
    crops = np.arange(3 * 16, dtype=np.uint8).reshape(1, 4, 4, 3)
    shown = grey_outside(crops, np.array([[-1, 7, 3, 11]], np.int32), input_px=10)
    assert (shown[0, 0] == 128).all()
    assert (shown[0, :, 3] == 128).all()
    assert (shown[0, 1:, :3] == crops[0, 1:, :3]).all()


def test_a_missing_entry_is_mid_grey():
    shown = grey_outside(np.zeros((1, 4, 4, 3), np.uint8), np.zeros((1, 4), np.int32), input_px=10)
    assert (shown == 128).all()


def test_a_block_runs_in_rows_and_pads_with_mid_grey():
    found = block(np.stack([flat(10), flat(20), flat(30)]))
    assert found[::2, ::2, 0].tolist() == [[10, 20], [30, 128]]


def test_a_pair_has_projections_left_and_crops_right():
    found = pair(np.zeros((1, 2, 2, 3), np.float16), flat(2)[None], px=2)
    assert found[0, :, 0].tolist() == [128, 128, 2, 2]


def test_a_sheet_has_one_shape_however_few_its_pictures():
    found = sheet([flat(5)], Grid(columns=3, rows=2))
    assert found.shape == (4, 6, 3)
    assert found[::2, ::2, 0].tolist() == [[5, 128, 128], [128, 128, 128]]


def test_thumbnails_have_the_contrast_of_large_tiles():
    noise = np.random.default_rng(0).normal(size=(1, 139, 139, 3)).astype(np.float16)
    large, small = (projection_tiles(noise, px).std() for px in (139, 56))
    assert small == pytest.approx(large, rel=0.05)


def test_a_picture_that_is_not_a_square_is_padded_around_its_middle():
    tiles = projection_tiles(np.ones((1, 3, 7, 3), np.float16), 7)
    assert (tiles[0, [0, 1, 5, 6]] == 128).all()
    assert (tiles[0, 2:5] > 200).all()


def test_tiles_are_resized_each_by_itself():
    tiles = np.stack([flat(0, 9), flat(255, 9)])
    found = resized(tiles, 4)
    assert found[0].max() == 0
    assert found[1].min() == 255


@pytest.mark.parametrize(("top", "side"), [(1, 1), (4, 2), (5, 3), (9, 3), (16, 4)])
def test_a_block_is_the_smallest_square_that_holds_all(top: int, side: int):
    assert grid_side(top) == side


@pytest.mark.parametrize(
    ("field", "sprite", "thumb"),
    [(7, 7, 7), (27, 81, 56), (75, 75, 56), (139, 139, 56), (224, 144, 56)],
)
def test_tiles_are_the_field_s_own_size_within_reason(field: int, sprite: int, thumb: int):
    assert (TileSize(field).sprite, TileSize(field).thumb) == (sprite, thumb)


def test_webp_gives_equal_bytes_and_lossless_equal_pixels():
    pixels = np.random.default_rng(0).integers(0, 256, (21, 42, 3)).astype(np.uint8)
    assert webp(pixels) == webp(pixels)
    read = Image.open(io.BytesIO(webp(pixels, lossless=True))).convert("RGB")
    assert (np.asarray(read) == pixels).all()
