"""What the scripts read, against the arrays of the run."""

import numpy as np
import pytest

from atlas_site.connections import connected, expanded
from atlas_site.data import (
    class_data,
    image_data,
    layer_data,
    search_data,
    site_data,
    weight_data,
)


def layer_of(catalogue, name):
    (found,) = (layer for layer in catalogue.layers if layer.name == name)
    return found, catalogue.atlas.scan(name)


def test_a_site_s_facts_name_its_layers_and_sizes(catalogue):
    data = site_data(catalogue)
    assert (data["top"], data["side"], data["validationImages"]) == (9, 3, 15)
    assert data["classes"] == ("ant", "bee", "cow")
    assert [(one["key"], one["channels"], one["dead"]) for one in data["layers"]] == [
        ("conv1", 10, 0),
        ("conv2", 26, 1),
    ]
    assert data["tiles"]["corners"][:7] == [(n, 0) for n in range(6)] + [(0, 1)]


def test_images_are_parallel_lists(catalogue):
    data, predictions = image_data(catalogue), catalogue.atlas.reports.predictions()
    assert data["row"] == [image.row for image in catalogue.images]
    for place, row in enumerate(data["row"]):
        assert catalogue.classes[data["label"][place]] == catalogue.atlas.images[row].label
        assert catalogue.classes[data["predicted"][place]] == predictions[row].label


def test_a_layer_s_columns_are_of_all_its_channels(catalogue):
    layer, record = layer_of(catalogue, "conv2")
    data = layer_data(catalogue, layer)
    columns = data["columns"]
    assert {len(column) for column in columns.values()} == {26}
    for number, held in enumerate(columns["image"]):
        kept = int((record.image[number] >= 0).sum())
        rows = [catalogue.images[place].row for place in held]
        assert rows == record.image[number, :kept].tolist()
    assert columns["fired"] == record.fired.tolist()
    np.testing.assert_allclose(columns["peak"], record.activation[:, 0].clip(0), 1e-3)
    assert columns["image"][1] == []
    assert len(columns["image"][2]) == 4
    assert (data["edges"][0], data["edges"][-1]) == pytest.approx(
        (record.edges[0], record.edges[-1]), rel=1e-3
    )


def test_classes_have_the_channels_that_prefer_them_most(catalogue):
    best = class_data(catalogue)["best"]["conv2"]
    _, record = layer_of(catalogue, "conv2")
    mean = record.mean_peak_by_class.astype(np.float64)
    for number, found in enumerate(best):
        rest = (mean.sum(axis=1) - mean[:, number]) / 2
        with np.errstate(invalid="ignore"):
            score = (mean[:, number] - rest) / (mean[:, number] + rest)
        strongest = int(np.nanargmax(score))
        assert found[0][0] == strongest
        assert found[0][1] == pytest.approx(score[strongest], rel=1e-3)
        assert len(found) <= 12


def test_the_strongest_connection_is_the_largest_product_of_kernel_and_mean_peak(catalogue):
    layer, _ = layer_of(catalogue, "conv2")
    weights = connected(catalogue.atlas)
    data = weight_data(catalogue, layer, weights, expanded(weights))
    kernels = catalogue.atlas.weights.kernels_from_below("conv2", ["conv1", "conv2"])["conv1"]
    sent = catalogue.atlas.scan("conv1").mean_peak_by_class.mean(axis=1)  # 5 images a class
    for number in (0, 5, 25):
        norms = sent * np.sqrt((kernels[number].astype(np.float64) ** 2).sum(axis=(1, 2)))
        _, channel, _, columns, levels, _ = data["incoming"][number][0]
        assert channel == int(norms.argmax())
        kernel = kernels[number, channel]
        assert columns == kernel.shape[1]
        assert levels == np.rint(9 * kernel / np.abs(kernel).max()).astype(int).ravel().tolist()
    assert (data["skipped"], data["unscanned"]) == ([], [])


def test_the_search_knows_favourites_and_names(catalogue):
    data = search_data(catalogue)
    layer, _ = layer_of(catalogue, "conv2")
    assert data["favourite"]["conv2"][1] == -1
    assert [catalogue.classes[n] for n in data["favourite"]["conv2"] if n >= 0] == [
        channel.favourite for channel in layer.channels if not channel.dead
    ]
    assert data["names"] == [["conv1", 0, 'edge <b>"x"</b>', "a note", "edges"]]
