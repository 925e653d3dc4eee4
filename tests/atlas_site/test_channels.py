from collections import Counter

import pytest

from atlas_site.channels import gather_channels, strong
from tests.atlas_site.plain_layers import channel


def test_a_channel_has_the_numbers_of_its_record(catalogue):
    atlas = catalogue.atlas
    channels, record = gather_channels(atlas, "conv2", "second"), atlas.scan("conv2")
    assert len(channels) == len(record.fired)
    for one in channels:
        rows = [row for row in record.image[one.number].tolist() if row >= 0]
        assert one.images == tuple(rows)
        assert one.fired == record.fired[one.number]
        labels = Counter(atlas.images[row].label for row in rows)
        if rows:
            assert one.peak == record.activation[one.number, 0]
            assert labels[one.favourite] == max(labels.values())
    assert channels[2].entries == 4
    assert channels[3].href == "second.html#3"


def test_a_channel_without_images_is_dead(catalogue):
    channels = gather_channels(catalogue.atlas, "conv2", "conv2")
    assert [one.number for one in channels if one.dead] == [1]
    assert (channels[1].peak, channels[1].favourite) == (0, "")


def test_a_filter_that_is_its_start_but_for_a_scale_is_marked(catalogue):
    channels = gather_channels(catalogue.atlas, "conv1", "conv1")
    assert channels[0].start_cosine == pytest.approx(1, abs=1e-5)
    assert [one.number for one in channels if one.still_start] == [0]


def test_strong_channels_are_alive_and_peak_above_half_the_median_of_those():
    """The peaks of those alive are 0.1, 0.9, 1, 2, 4: their median is 1."""
    channels = [channel(n, peak=peak) for n, peak in enumerate([0.9, 4.0, 0.1, 1.0, 2.0])]
    dead = channel(5, images=(), peak=0.0)
    assert [one.number for one in strong([*channels, dead])] == [0, 1, 3, 4]
    assert strong([dead]) == []
