import numpy as np
import pytest
from PIL import Image

from pipeline.dataset.images import load_square
from pipeline.errors import AtlasError
from pipeline.training.squares import FileSquares, cached, worth_caching


@pytest.fixture
def squares(tmp_path) -> FileSquares:
    rng = np.random.default_rng(0)
    paths = [tmp_path / f"{n}.png" for n in range(20)]
    for path in paths:
        Image.fromarray(rng.integers(0, 256, (30, 40, 3), dtype=np.uint8)).save(path)
    return FileSquares(paths, resize=24, side=20)


def test_squares_come_in_the_order_asked_for_and_are_those_of_the_one_loader(squares):
    pixels = squares.read(np.array([3, 1]))
    assert np.array_equal(pixels[0], load_square(squares.paths[3], 24, 20))
    assert np.array_equal(pixels[1], load_square(squares.paths[1], 24, 20))


def test_cached_pixels_are_the_decoded_ones(squares, tmp_path):
    counted = []
    kept = cached(squares, tmp_path / "c.npy", threads=2, advance=counted.append)
    rows = np.array([19, 0, 7])
    assert np.array_equal(kept.read(rows), squares.read(rows))
    assert sum(counted) == len(kept) == 20


def test_a_cache_is_decoded_once(squares, tmp_path):
    cached(squares, tmp_path / "c.npy", threads=1, advance=lambda count: None)
    for path in squares.paths:
        path.unlink()
    kept = cached(squares, tmp_path / "c.npy", threads=1, advance=lambda count: None)
    assert kept.read(np.array([0])).shape == (1, 20, 20, 3)


def test_an_image_that_has_gone_is_named_and_leaves_no_cache(squares, tmp_path):
    squares.paths[5].unlink()
    with pytest.raises(AtlasError, match=r"5\.png"):
        cached(squares, tmp_path / "c.npy", threads=1, advance=lambda count: None)
    assert not list(tmp_path.glob("*c.npy*"))


def test_images_read_once_are_not_worth_a_cache(squares, tmp_path):
    assert not worth_caching(squares, 1, tmp_path)
    assert worth_caching(squares, 2, tmp_path)
    assert not worth_caching(FileSquares(squares.paths, 24, side=10**7), 2, tmp_path)
