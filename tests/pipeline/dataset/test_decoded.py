from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.dataset.decoded import DecodedImages, open_cache, should_cache
from pipeline.dataset.manifest import ImageRow
from pipeline.dataset.store import open_images
from pipeline.dataset.verified import load_verified
from pipeline.errors import AtlasError
from pipeline.storage.hashing import sha256_of


@pytest.fixture
def images(tmp_path) -> DecodedImages:
    rng = np.random.default_rng(0)
    rows = []
    for number in range(20):
        path = tmp_path / f"{number}.png"
        Image.fromarray(rng.integers(0, 256, (30, 40, 3), dtype=np.uint8)).save(path)
        rows.append(ImageRow("train", path.name, "a", 40, 30, sha256_of(path)))
    return DecodedImages(open_images(tmp_path), rows, resize=24, side=20)


def file(images: DecodedImages, row: int) -> Path:
    return Path(str(images.images)) / images.rows[row].path


def test_squares_come_in_the_order_asked_for_and_are_those_of_the_one_loader(images):
    pixels = images.__getitems__(np.array([3, 1]))
    for square, row in zip(pixels, [3, 1], strict=True):
        assert np.array_equal(square, load_verified(images.images, images.rows[row], 24, 20))
        assert np.array_equal(square, images[row])


def test_cached_pixels_are_the_decoded_ones(images, tmp_path):
    counted = []
    cache = open_cache(images, tmp_path / "c.npy", threads=2, advance=counted.append)
    rows = np.array([19, 0, 7])
    assert np.array_equal(cache.__getitems__(rows), images.__getitems__(rows))
    assert np.array_equal(cache[7], images[7])
    assert sum(counted) == len(cache) == 20


def test_a_cache_is_decoded_once(images, tmp_path):
    open_cache(images, tmp_path / "c.npy", threads=1, advance=lambda count: None)
    for row in range(20):
        file(images, row).unlink()
    cache = open_cache(images, tmp_path / "c.npy", threads=1, advance=lambda count: None)
    assert cache[0].shape == (20, 20, 3)


def test_an_image_that_is_gone_is_named_and_leaves_no_cache(images, tmp_path):
    file(images, 5).unlink()
    with pytest.raises(AtlasError, match=r"5\.png"):
        open_cache(images, tmp_path / "c.npy", threads=1, advance=lambda count: None)
    assert not list(tmp_path.glob("*c.npy*"))


def test_an_image_that_is_not_the_one_listed_is_named(images):
    file(images, 5).write_bytes(file(images, 6).read_bytes())
    with pytest.raises(AtlasError, match=r"5\.png is not the file that the manifest lists"):
        images.__getitems__(np.arange(20))


def test_images_read_once_are_not_worth_a_cache(images, tmp_path):
    assert not should_cache(images, 1, tmp_path)
    assert should_cache(images, 2, tmp_path)
    large = DecodedImages(images.images, images.rows, 24, side=10**7)
    assert not should_cache(large, 2, tmp_path)


@pytest.mark.parametrize("name", ["c.npy", "c.crc32"])
@pytest.mark.parametrize("fault", ["flipped", "cut", "gone", "header"])
def test_a_damaged_cache_never_gives_other_pixels_and_is_put_right(
    images, tmp_path, caplog, name, fault
):
    rows = np.arange(20)
    open_cache(images, tmp_path / "c.npy", threads=1, advance=lambda count: None)
    path = tmp_path / name
    whole = path.read_bytes()
    content = bytearray(whole)
    if fault == "gone":
        path.unlink()
    else:
        content[-1 if fault == "flipped" else 30] ^= 1
        path.write_bytes(content[:-1] if fault == "cut" else content)
    cache = open_cache(images, tmp_path / "c.npy", threads=1, advance=lambda count: None)
    for part in (rows[:10], rows[10:], rows):
        assert np.array_equal(cache.__getitems__(part), images.__getitems__(part))
    assert path.read_bytes() == whole
    told = [record for record in caplog.records if "decoded again" in record.message]
    assert len(told) == (name == "c.npy")
