"""Images omitted by a scan are detected; those that it holds or that rank behind are not."""

import dataclasses

import numpy as np
import pytest
import torch

from pipeline.dataset.manifest import read_manifest
from pipeline.network.model import load_model
from pipeline.storage.stores import open_store, read_scan
from pipeline.verify.omitted_images import omissions
from pipeline.verify.reference import Reference
from tests.finished_scan import CROP, RESIZE, finished_scan
from tests.squares import load_square

LAYERS = ("conv1", "conv3", "fc8")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The model's reference, the scan of 14 images, and these as the network takes them."""
    workspace = finished_scan(tmp_path_factory.mktemp("omission") / "run", LAYERS)
    model, store = load_model(workspace.model), open_store(workspace.scan, "scan")
    paths = [workspace.root / "photos" / r.path for r in read_manifest(workspace.manifest).rows]
    pixels = np.stack([load_square(path, RESIZE, CROP) for path in paths[:14]])
    inputs = model.normalisation(torch.from_numpy(pixels).permute(0, 3, 1, 2))
    reference = Reference(model.graph, dict(model.network.named_parameters()))
    return reference, {name: read_scan(store, name) for name in LAYERS}, inputs.double()


def detected(finished, records, row):
    reference, _, inputs = finished
    passed = reference(inputs[row], tuple(records))
    return list(omissions(reference.graph, records, row, passed, 1e-4))


def test_nothing_is_detected_in_a_right_scan(finished):
    assert [detected(finished, finished[1], row) for row in range(14)] == [[]] * 14


@pytest.mark.parametrize("layer", LAYERS)
def test_an_image_left_out_of_one_layer_is_detected_there(finished, layer):
    right = finished[1][layer]
    row = int(right.image[1, 3])
    records = finished[1] | {layer: without(right, row)}
    (fault,) = detected(finished, records, row)
    assert fault.startswith(f"{layer} channel ")
    assert f"lacks image row {row}" in fault
    count = int((right.image == row).any(axis=1).sum())
    assert (f"{count - 1} other channels" in fault) == (count > 1)


def without(record, row):
    """The entries with one image's taken out and those behind it moved up, a missing one last."""
    keep = np.argsort(record.image == row, axis=1, kind="stable")
    image = np.take_along_axis(record.image, keep, 1)
    activation = np.take_along_axis(record.activation, keep, 1)
    gone = image == row
    image[gone], activation[gone] = -1, 0
    return dataclasses.replace(record, image=image, activation=activation)
