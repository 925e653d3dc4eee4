"""The entries of a layer: which there are, and in which order."""

import numpy as np
import pytest

from pipeline.atlas.layer_entries import LayerEntries, entries_of, examples_of, present_entries
from pipeline.storage.scan_record import ExampleRecord, ScanRecord

IMAGE = np.array([[5, 2, -1], [-1, -1, -1], [2, 5, 0]], np.int32)
"""(channel, rank): the image of each entry, −1 where there is none."""
CELL = np.arange(18, dtype=np.int32).reshape(3, 3, 2)
ACTIVATION = np.arange(9, dtype=np.float32).reshape(3, 3)
EXPECTED = [(2, 2, 0), (0, 1, 2), (2, 0, 2), (0, 0, 5), (2, 1, 5)]
"""(channel, rank, image) of those there are, by image, then channel, then rank."""


def triples(found: LayerEntries) -> list[tuple[int, int, int]]:
    return list(zip(found.channel.tolist(), found.rank.tolist(), found.image.tolist(), strict=True))


def test_missing_entries_are_left_out_and_the_others_go_by_image_channel_and_rank():
    found = present_entries(IMAGE, CELL, ACTIVATION)
    assert len(found) == len(EXPECTED)
    assert triples(found) == EXPECTED
    for place, (channel, rank, _) in enumerate(EXPECTED):
        assert found.activation[place] == 3 * channel + rank
        first = 2 * (3 * channel + rank)
        assert found.cell[place].tolist() == [first, first + 1]


@pytest.mark.parametrize("ranks", [1, 2, None])
def test_the_first_ranks_alone(ranks):
    record = ScanRecord(
        activation=ACTIVATION,
        image=IMAGE,
        cell=CELL,
        box=np.zeros((3, 3, 4), np.int32),
        histogram=np.zeros((3, 2), np.int64),
        fired=np.zeros(3, np.int64),
        mean_peak_by_class=np.zeros((3, 1), np.float32),
        edges=(0.0, 1.0, 2.0),
    )
    expected = [one for one in EXPECTED if ranks is None or one[1] < ranks]
    assert triples(entries_of(record, ranks)) == expected


def test_examples_are_entries_whose_rank_is_their_place():
    examples = ExampleRecord(
        example_image=IMAGE,
        example_cell=CELL,
        example_activation=ACTIVATION,
        example_box=np.zeros((3, 3, 4), np.int32),
        example=np.array(["90%", "weakest", "silent"]),
    )
    assert triples(examples_of(examples)) == EXPECTED


@pytest.mark.parametrize(("first", "stop"), [(0, 6), (1, 5), (2, 3), (3, 3), (6, 9)])
def test_those_of_some_image_rows(first, stop):
    found = present_entries(IMAGE, CELL, ACTIVATION).within(first, stop)
    assert triples(found) == [one for one in EXPECTED if first <= one[2] < stop]
