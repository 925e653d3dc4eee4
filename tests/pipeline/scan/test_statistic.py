import dataclasses

import numpy as np

from pipeline.network.geometry import AxisWindow
from pipeline.network.receptive_field import Field
from pipeline.scan.counts import ImageCounts
from tests.pipeline.scan.batches import batch, facts


def test_boxes_are_half_open_and_move_by_the_jump():
    cells = np.array([[[0, 0], [2, 1]]], np.int32)
    assert facts(1).boxes(cells).tolist() == [[[-1, -1, 6, 6], [3, 1, 10, 8]]]


def test_boxes_of_a_concatenation_are_those_of_each_channel_s_branch():
    whole, small = AxisWindow(-1, 2, 7, 12), AxisWindow(0, 2, 1, 12)
    field = Field(whole, whole, ((small, small), (whole, whole)), (1, 0))
    cells = np.array([[[1, 0]], [[1, 0]]], np.int32)
    found = dataclasses.replace(facts(2), field=field).boxes(cells)
    assert found.tolist() == [[[1, -1, 8, 6]], [[2, 0, 3, 1]]]


def test_the_facts_of_a_layer_are_the_attributes_of_its_group():
    assert facts(4, signed=True).attributes() == {
        "map_size": [5, 6],
        "field_size": [7, 7],
        "field_jump": [2, 2],
        "field_start": [-1, -1],
        "signed": True,
    }


def test_a_channel_fires_above_0_or_at_any_number_where_activations_are_signed():
    peaks = np.array([[1, -1, 0, np.nan, np.inf, -np.inf]], np.float32)
    assert facts(6).fires(peaks).tolist() == [[True, *[False] * 5]]
    assert facts(6, signed=True).fires(peaks).tolist() == [[True] * 3 + [False] * 3]


def test_a_statistic_that_takes_every_peak_wants_no_cell_and_has_no_limits():
    statistic = ImageCounts(facts(2))
    assert statistic.wants(batch([[1, 2]]).rows) is None
    assert statistic.limits() == {}
