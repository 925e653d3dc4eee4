"""The files of the channels' views, against the arrays of the run."""

import numpy as np
import pytest

from atlas_site import channel_data
from atlas_site.connections import connected


def layer_of(catalogue, name):
    (found,) = (layer for layer in catalogue.layers if layer.name == name)
    return found, catalogue.atlas.scan(name)


def all_channels(catalogue, layer):
    files = dict(channel_data.channel_data(catalogue, layer, connected(catalogue.atlas)))
    return [channel for value in files.values() for channel in value["channels"]]


def test_a_channel_has_its_entries_and_a_histogram_of_all_images(catalogue):
    layer, record = layer_of(catalogue, "conv2")
    channels = all_channels(catalogue, layer)
    assert len(channels) == 26
    for number, channel in enumerate(channels):
        kept = int((record.image[number] >= 0).sum())
        assert channel["cell"] == record.cell[number, :kept].tolist()
        assert channel["corner"] == record.box[number, :kept, :2].tolist()
        assert sum(channel["histogram"]) == record.histogram[number].sum()
        np.testing.assert_allclose(channel["activation"], record.activation[number, :kept], 1e-3)
    assert (channels[1]["cell"], channels[1]["energy"]) == ([], [])
    assert len(channels[2]["cell"]) == 4


@pytest.mark.parametrize("size", [1, 4, 26, 64])
def test_a_channel_s_file_is_found_by_its_number(catalogue, monkeypatch, size):
    """By the rule that the page's script follows: file n // size, place n % size."""
    layer, _ = layer_of(catalogue, "conv2")
    whole = all_channels(catalogue, layer)
    monkeypatch.setattr(channel_data, "PART_CHANNELS", size)
    facts = channel_data.part_facts(layer.key)
    files = dict(channel_data.channel_data(catalogue, layer, connected(catalogue.atlas)))
    assert facts["channels"] == size
    assert len(files) == -(-26 // size)
    for number, channel in enumerate(whole):
        name = facts["src"].replace("{}", str(number // size))
        assert files[name]["channels"][number % size] == channel
