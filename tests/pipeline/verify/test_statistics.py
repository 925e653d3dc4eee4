"""Rules of a layer's statistics: a right record breaks none, and each rule can be broken."""

import dataclasses

import numpy as np
import pytest

from pipeline.dataset.manifest import ImageRow
from pipeline.network.card import load_card
from pipeline.storage.stores import open_store, read_scan
from pipeline.verify.statistics import shape_faults, statistics_faults
from tests.finished_scan import CLASSES, finished_scan

LAYERS = ("conv2", "fc8")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    workspace = finished_scan(tmp_path_factory.mktemp("statistics") / "run", LAYERS)
    store = open_store(workspace.scan, "scan")
    records = {layer: read_scan(store, layer) for layer in LAYERS}
    return load_card(workspace.model).graph(), records


def rows_of(count=14):
    return [ImageRow("val", f"{n:02}.png", CLASSES[n % 2], 96, 80, "") for n in range(count)]


def faults(finished, layer, rows=None, *, finite=True, **changed):
    graph, records = finished
    record = dataclasses.replace(records[layer], **changed)
    return list(statistics_faults(graph, layer, record, rows or rows_of(), CLASSES, finite=finite))


@pytest.mark.parametrize("layer", LAYERS)
def test_a_right_record_breaks_no_rule(finished, layer):
    graph, records = finished
    assert list(shape_faults(graph, layer, records[layer], len(CLASSES))) == []
    assert faults(finished, layer) == []


def with_value(values, at, value):
    changed = values.copy()
    changed[at] = value
    return changed


@pytest.mark.parametrize(
    ("layer", "name", "at", "value", "said"),
    [
        ("conv2", "histogram", (1, 0), -1, "negative counts"),
        ("conv2", "histogram", (1, 0), 99, "more images in its histogram"),
        ("conv2", "histogram", 1, 0, "fewer images in its histogram"),
        ("conv2", "fired", 1, 99, "fired in more images"),
        ("conv2", "fired", 1, 3, "another number of entries"),
        ("fc8", "histogram", 1, 0, "another number of entries"),
        ("conv2", "mean_peak_by_class", (1, 0), np.nan, "none for one with"),
        ("conv2", "mean_peak_by_class", (1, 0), -1, "negative mean"),
        ("conv2", "mean_peak_by_class", (1, 0), 1e-3, "its own entries exceeds"),
    ],
)
def test_a_broken_rule_is_named_with_its_channel(finished, layer, name, at, value, said):
    values = with_value(getattr(finished[1][layer], name), at, value)
    found = faults(finished, layer, **{name: values})
    assert any(said in fault and f"{layer} channel 1 " in fault for fault in found)


def test_a_network_without_classes_breaks_no_rule(finished):
    graph, records = finished
    none = records["conv2"].mean_peak_by_class[:, :0]
    record = dataclasses.replace(records["conv2"], mean_peak_by_class=none)
    assert list(shape_faults(graph, "conv2", record, 0)) == []
    assert list(statistics_faults(graph, "conv2", record, rows_of(), (), finite=True)) == []


def test_a_mean_for_a_class_without_images_is_a_fault(finished):
    rows = [dataclasses.replace(row, label="one") for row in rows_of()]
    assert any("a class without images" in fault for fault in faults(finished, "conv2", rows))


def test_another_number_of_channels_than_the_network_s_is_a_fault(finished):
    graph, records = finished
    record = records["conv2"]
    arrays = {
        field.name: getattr(record, field.name)[:-1]
        for field in dataclasses.fields(record)
        if field.name not in {"edges", "examples"}
    }
    fewer = dataclasses.replace(record, **arrays)
    assert len(list(shape_faults(graph, "conv2", fewer, len(CLASSES)))) == 7
    assert len(list(shape_faults(graph, "conv2", record, 3))) == 1


def test_of_weights_that_are_not_finite_a_histogram_may_count_fewer_images(finished):
    histogram = finished[1]["conv2"].histogram
    fewer = with_value(histogram, (1, int(histogram[1].argmax())), histogram[1].max() - 1)
    fired = with_value(finished[1]["conv2"].fired, 1, fewer[1].sum())
    assert faults(finished, "conv2", histogram=fewer, fired=fired)
    assert not faults(finished, "conv2", histogram=fewer, fired=fired, finite=False)
