from collections import Counter

import numpy as np
import pytest

from pipeline.verify.sample import draw_sample

IMAGES = 40


@pytest.fixture
def shown():
    """Three layers of 30 channels and 4 ranks; a fifth of the entries are missing."""
    rng = np.random.default_rng(0)
    image = {name: rng.integers(0, IMAGES, (30, 4), np.int32) for name in ("conv1", "conv2", "fc6")}
    for rows in image.values():
        rows[rng.random(rows.shape) < 0.2] = -1
    return image


def test_every_layer_gives_its_share_and_every_entry_is_of_its_image(shown):
    samples = draw_sample(shown, IMAGES, entries=50, looked_for=5, seed=3)
    addresses = [(sample.row, address) for sample in samples for address in sample.addresses]
    assert Counter(address[0] for _, address in addresses) == {"conv1": 17, "conv2": 17, "fc6": 16}
    assert len(set(addresses)) == 50
    for row, (layer, channel, rank) in addresses:
        assert shown[layer][channel, rank] == row
    assert [sample.in_all_layers for sample in samples].count(True) == 5


def test_a_layer_with_fewer_entries_gives_all_that_it_has(shown):
    shown["fc6"][:] = -1
    shown["fc6"][3, 1] = 7
    samples = draw_sample(shown, IMAGES, entries=60, looked_for=0, seed=0)
    found = [(sample.row, a) for sample in samples for a in sample.addresses if a[0] == "fc6"]
    assert found == [(7, ("fc6", 3, 1))]


def test_the_entries_share_few_images_and_a_seed_draws_them(shown):
    draws = [draw_sample(shown, IMAGES, entries=30, looked_for=0, seed=s) for s in (1, 1, 2)]
    assert draws[0] == draws[1] != draws[2]
    assert len(draws[0]) <= 10  # of 40 images, that hold 7 entries each
