import numpy as np
import pytest

from atlas_site.display import display_scale, energetic_part, to_grey


def texture(side: int = 75, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(side, side, 3)).astype(np.float32)


def test_zero_is_mid_grey_to_the_bit_whatever_else_a_tile_holds():
    tile = texture()
    tile[::2] = 0
    assert (to_grey(tile)[::2] == 128).all()
    assert (to_grey(np.zeros((4, 4, 3), np.float32)) == 128).all()


def test_the_scale_is_symmetric_about_zero():
    tile = texture()
    assert (to_grey(tile).astype(int) + to_grey(-tile) == 256).all()


@pytest.mark.parametrize("place", [(0, 0), (37, 37), (10, 60)])
def test_one_hot_pixel_leaves_the_rest_as_it_was(place: tuple[int, int]):
    tile = texture()
    hot = tile.copy()
    hot[place] = 1000
    difference = np.abs(to_grey(hot).astype(int) - to_grey(tile))
    difference[place] = 0
    assert difference.max() <= 1
    assert to_grey(hot)[place].tolist() == [255, 255, 255]


def test_a_tile_of_one_hot_pixel_alone_shows_it():
    tile = np.zeros((9, 9, 3), np.float32)
    tile[4, 4] = 0.5
    assert to_grey(tile)[4, 4, 0] == 128 + round(127 / 2**0.5)


def test_brightness_of_the_input_does_not_matter():
    tile = texture()
    assert (to_grey(tile * 4) == to_grey(tile)).all()


def test_grey_levels_grow_with_the_signal():
    ramp = np.linspace(-1, 1, 75, dtype=np.float32)[:, None, None] * np.ones((1, 75, 3))
    column = to_grey(ramp.astype(np.float32))[:, 0, 0].astype(int)
    assert (np.diff(column) > 0).all()
    assert column[0] > 1
    assert column[-1] < 255


def test_the_display_scale_is_the_98th_percentile_of_the_energetic_part():
    tile = np.zeros((100, 100, 3), np.float32)
    tile[45:55, 45:55] = np.arange(1, 301, dtype=np.float32).reshape(10, 10, 3)
    inside = energetic_part(tile)
    assert display_scale(tile) == sorted(tile[inside].ravel())[int(0.98 * tile[inside].size)]


@pytest.mark.parametrize(("side", "lit"), [(75, 21), (76, 22), (7, 7), (1, 1)])
def test_the_energetic_part_is_the_smallest_centred_square(side: int, lit: int):
    tile = np.zeros((side, side, 3), np.float32)
    first = (side - lit) // 2
    tile[first : first + lit, first : first + lit] = 1
    rows, cols = energetic_part(tile)
    assert rows == cols
    size = rows.stop - rows.start
    sums = {s: _centred(tile, s).sum() / tile.sum() for s in range(2 - side % 2, side + 1, 2)}
    assert size == min(s for s, share in sums.items() if share >= 0.9)


def _centred(tile: np.ndarray, side: int) -> np.ndarray:
    first = (len(tile) - side) // 2
    return tile[first : first + side, first : first + side]


def test_tiles_are_scaled_each_by_itself():
    tiles = np.stack([texture(), 5 * texture()])
    first, second = to_grey(tiles)
    assert (first == second).all()
