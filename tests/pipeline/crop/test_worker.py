import numpy as np
import pytest
from PIL import Image

from pipeline.atlas.layer_entries import LayerEntries
from pipeline.atlas.runner import entry_task
from pipeline.crop.worker import CropConfig, crop_chunk
from pipeline.dataset.manifest import ImageRow
from pipeline.dataset.store import FolderStore
from pipeline.errors import AtlasError
from pipeline.network.geometry import AxisWindow
from pipeline.network.receptive_field import Field
from pipeline.storage.hashing import sha256_of

AXIS = AxisWindow(-1, 2, 4, 12)
"""Fields of 4 pixels, 2 apart, the first of which begins outside."""


@pytest.fixture
def images(tmp_path):
    """Two images of 12 × 12 pixels, and their rows."""
    rows = []
    for number in range(2):
        pixels = np.random.default_rng(number).integers(0, 256, (12, 12, 3), np.uint8)
        path = tmp_path / f"{number}.png"
        Image.fromarray(pixels).save(path)
        rows.append(ImageRow("val", path.name, "one", 12, 12, sha256_of(path)))
    return tmp_path, rows


def cropped(images, reduction=1):
    folder, rows = images
    config = CropConfig(
        FolderStore(folder),
        (12, 12, "bilinear"),
        {"a": Field(AXIS, AXIS)},
        {"a": reduction},
        "crop",
    )
    entries = LayerEntries(
        np.array([3, 4]),
        np.array([0, 1]),
        np.array([0, 1], np.int32),
        np.array([[0, 2], [1, 1]], np.int32),
        np.ones(2, np.float32),
    )
    return crop_chunk(entry_task(config, rows, {"a": entries}), None)["a"]


def test_a_patch_is_the_pixels_of_its_field_and_0_outside(images):
    values = cropped(images)
    pixels = [np.asarray(Image.open(images[0] / row.path)) for row in images[1]]
    first, second = values.arrays["crop"]
    assert not first[0].any()  # the field begins a row above the image
    assert np.array_equal(first[1:], pixels[0][:3, 3:7])
    assert np.array_equal(second, pixels[1][1:5, 1:5])
    assert (values.channel.tolist(), values.rank.tolist()) == ([3, 4], [0, 1])


def test_a_reduced_patch_is_the_mean_of_squares_of_pixels(images):
    whole, small = (cropped(images, factor).arrays["crop"] for factor in (1, 2))
    means = whole.reshape(2, 2, 2, 2, 2, 3).mean(axis=(2, 4))
    assert np.array_equal(small, np.floor(means + 0.5))


def test_an_image_that_the_manifest_does_not_list_stops_the_chunk(images):
    (images[0] / "1.png").write_bytes((images[0] / "0.png").read_bytes())
    with pytest.raises(AtlasError, match=r"1\.png is not the file"):
        cropped(images)
