"""The work of one chunk against every activation of its images, computed here."""

import dataclasses

import numpy as np
import pytest
import torch

from pipeline.dataset.store import FolderStore
from pipeline.errors import AtlasError
from pipeline.scan.worker import ScanConfig, ScanTask, scan_chunk
from tests.pipeline.scan.worlds import make_world
from tests.squares import load_square

LAYERS, FIRST = ("conv2", "fc8"), 100


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return make_world(tmp_path_factory.mktemp("worker") / "world", 5)


def task(world, **changed):
    config = ScanConfig(world.model, world.load().card.sha256, LAYERS, 3, 2, tf32=False)
    whole = ScanTask(
        config, FIRST, FolderStore(world.root), world.images, (0, 1, 2, 0, -1), limits={}
    )
    return dataclasses.replace(whole, **changed)


def test_the_strongest_images_and_the_counts_are_those_of_brute_force(world):
    model = world.load()
    card = model.card
    squares = [load_square(world.root / row.path, card.resize, card.crop) for row in world.images]
    inputs = model.normalisation(torch.from_numpy(np.stack(squares)).permute(0, 3, 1, 2))
    maps = model.network.activations(inputs, LAYERS)
    found = scan_chunk(task(world), torch.device("cpu"))
    assert set(found) == set(LAYERS)
    for layer, values in maps.items():
        peaks = values.detach().reshape(*values.shape[:2], -1).amax(dim=2).numpy()
        result = {name: v.values for name, v in found[layer].result().items()}
        eligible = np.where((peaks > 0) | (layer == "fc8"), peaks, -np.inf)
        order = np.argsort(-eligible, axis=0, kind="stable")[:3].T
        dead = np.isinf(np.take_along_axis(eligible.T, order, 1))
        assert result["image"].tolist() == np.where(dead, -1, order + FIRST).tolist()
        expected = np.where(dead, 0, np.take_along_axis(peaks.T, order, 1))
        np.testing.assert_allclose(result["activation"], expected, rtol=1e-4, atol=1e-5)
        assert result["fired"].tolist() == (peaks > 0).sum(axis=0).tolist()


def test_an_image_that_the_manifest_does_not_list_stops_the_chunk(world):
    rows = (dataclasses.replace(world.images[0], sha256="0" * 64), *world.images[1:])
    with pytest.raises(AtlasError, match=r"0000\.png is not the file"):
        scan_chunk(task(world, images=rows), torch.device("cpu"))


def test_another_model_than_the_run_began_with_is_refused(world):
    config = dataclasses.replace(task(world).config, model_sha256="0" * 64)
    with pytest.raises(AtlasError, match="another model"):
        scan_chunk(task(world, config=config), torch.device("cpu"))
