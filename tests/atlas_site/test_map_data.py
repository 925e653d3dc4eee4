"""The maps' places and labels, against the arrays of the run."""

from dataclasses import replace

import numpy as np
import pytest

from atlas_site.channel_map import map_of
from atlas_site.map_data import map_data


def test_the_map_has_a_place_for_each_channel_that_is_not_dead(catalogue):
    data = map_data(catalogue)
    addresses = [(layer, channel) for layer, channel, _, _ in data["places"]]
    assert addresses == [(0, n) for n in range(10)] + [(1, n) for n in range(26) if n != 1]
    places = np.array(data["places"])[:, 2:]
    assert (places >= 0).all()
    assert (places <= data["side"]).all()
    assert len({tuple(place) for place in places.tolist()}) == len(places)


@pytest.mark.parametrize(("layer", "dead", "count"), [(0, (), 10), (1, (1,), 26)])
def test_the_map_of_a_layer_is_laid_out_of_its_own_channels_alone(catalogue, layer, dead, count):
    data = map_data(catalogue)
    own = data["layers"][layer]
    alive = np.array([(layer, number) for number in range(count) if number not in dead])
    expected = np.concatenate([alive, map_of(catalogue.atlas, alive)], axis=1)
    assert own["places"] == expected.tolist()
    within = np.array(own["places"])[:, 2:]
    # It fills the square, where its share of the map of all does not.
    assert np.ptp(within, axis=0).max() == pytest.approx(data["side"], abs=1)
    assert own["places"] != [place for place in data["places"] if place[0] == layer]
    at = {(x, y) for _, _, x, y in own["places"]}
    assert {(x, y) for _, x, y in own["labels"]} <= at


def test_a_layer_that_is_dead_has_an_empty_map_and_a_single_one_the_map_of_all(catalogue):
    first, second = catalogue.layers
    dead = replace(second, channels=tuple(replace(c, images=()) for c in second.channels))
    data = map_data(replace(catalogue, layers=(first, dead)))
    assert data["layers"][1] == {"places": [], "labels": []}
    assert data["layers"][0]["places"] == data["places"]
    alone = map_data(replace(catalogue, layers=(first,)))
    assert {**alone["layers"][0], "side": 1000, "layers": alone["layers"]} == alone
