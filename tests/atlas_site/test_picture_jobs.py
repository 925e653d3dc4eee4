"""The pictures of a site: which there are, and that their files hold what they should."""

import json
from base64 import b64decode
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from atlas_site.card import CardJob
from atlas_site.picture_jobs import (
    ChannelsJob,
    ControlJob,
    CoverJob,
    ExamplesJob,
    FiltersJob,
    ImagesJob,
    jobs_of,
)
from atlas_site.pictures import projection_tiles


@pytest.fixture
def out(tmp_path):
    for folder in ("tiles/conv1", "tiles/conv2", "images", "data/pictures"):
        (tmp_path / folder).mkdir(parents=True)
    return tmp_path


def pixels(path):
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB")).astype(int)


def test_every_picture_is_a_job_the_slowest_first(catalogue):
    jobs = jobs_of(catalogue)
    assert jobs[:3] == [
        ChannelsJob("conv2", "conv2", 0),
        ChannelsJob("conv2", "conv2", 1),
        ChannelsJob("conv1", "conv1", 0),
    ]
    kinds = [type(job) for job in jobs]
    counts = {kind: kinds.count(kind) for kind in (ControlJob, ExamplesJob, CoverJob, CardJob)}
    assert counts == {ControlJob: 3, ExamplesJob: 3 + 7, CoverJob: 2, CardJob: 1}
    assert [job for job in jobs if isinstance(job, FiltersJob)] == [FiltersJob("conv1", "conv1")]
    shown = [row for job in jobs if isinstance(job, ImagesJob) for row in job.rows]
    assert shown == [image.row for image in catalogue.images]


def test_a_channel_s_sprite_is_its_projections_beside_its_patches(catalogue, out):
    atlas = catalogue.atlas
    assert ChannelsJob("conv1", "conv1", 0).paint(atlas, out) == 10
    sprite = pixels(out / "tiles" / "conv1" / "3.webp")
    assert sprite.shape == (3 * 7, 2 * 3 * 7, 3)  # lossless, so exact
    pictures = atlas.pictures.read("conv1", slice(3, 4))
    tiles = projection_tiles(pictures.projection[0], 7)
    assert np.array_equal(sprite[7:14, 14:21], tiles[5])
    inside = (atlas.scan("conv1").box[3, 5] >= 0).all()
    if inside:
        assert np.array_equal(sprite[7:14, 35:42], pictures.crop[0, 5])
    assert pixels(out / "tiles" / "conv1" / "sheet-0.webp").shape == (4 * 21, 8 * 21, 3)


def test_pictures_for_saving_are_data(catalogue, out):
    ChannelsJob("conv2", "conv2", 1).paint(catalogue.atlas, out)
    text = (out / "data" / "pictures" / "conv2-1.js").read_text()
    saved = json.loads(text[text.index(",") + 1 : text.rindex(")")])
    assert list(saved) == [str(n) for n in range(16, 26)]
    with Image.open(BytesIO(b64decode(saved["20"]))) as picture:
        assert picture.size == (6 * 81, 3 * 81)  # fields of 27 pixels, enlarged three times


def test_filters_are_drawn_exactly_and_images_as_they_are(catalogue, out):
    FiltersJob("conv1", "conv1").paint(catalogue.atlas, out)
    filters = pixels(out / "tiles" / "conv1" / "filters.webp")
    assert filters.shape[0] % 7 == filters.shape[1] % 7 == 0
    rows = tuple(image.row for image in catalogue.images[:2])
    ImagesJob(0, rows, 64).paint(catalogue.atlas, out)
    shown = pixels(out / "images" / "0.webp")
    assert shown.shape == (5 * 64, 5 * 64, 3)
    first = catalogue.atlas.image(rows[0]).astype(int)
    assert np.abs(shown[:64, :64] - first).mean() < 8  # WebP
    assert (np.abs(shown[80:] - 128) <= 3).all()  # places without a picture
