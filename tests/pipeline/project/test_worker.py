"""The work of one chunk: what it hands back fits the entries that it was given."""

import dataclasses

import numpy as np
import pytest
import torch

from pipeline.atlas import Run
from pipeline.atlas.layer_entries import entries_of
from pipeline.atlas.runner import entry_task
from pipeline.errors import AtlasError
from pipeline.project.worker import config_of, project_chunk
from tests.finished_scan import CROP, RESIZE, finished_scan
from tests.pipeline.project.oracle import autograd_projection, under_box
from tests.squares import load_square

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    workspace = finished_scan(tmp_path_factory.mktemp("worker") / "run", ("conv1", "conv2"))
    return Run(workspace, workspace.artifacts)


def chunk(run):
    """The entries of the first three images."""
    return {name: entries_of(record).within(0, 3) for name, record in run.records.items()}


def test_the_settings_are_those_of_the_run(run):
    config = config_of(run)
    assert config.layers == ("conv1", "conv2")
    assert (config.ranks, config.batch_size) == (9, 16)
    assert config.model_sha256 == run.card.sha256


def test_each_entry_gets_its_projection_and_the_box_that_holds_its_energy(run):
    task = entry_task(config_of(run), run.images, chunk(run))
    assert set(task.images) == {0, 1, 2}
    found = project_chunk(task, CPU)["conv2"]
    entries = task.chunk["conv2"]
    assert found.channel.tolist() == entries.channel.tolist()
    at = int(entries.activation.argmax())
    row = int(entries.image[at])
    square = load_square(run.workspace.root / "photos" / run.images[row].path, RESIZE, CROP)
    image = run.loaded_model.normalisation(torch.tensor(square).permute(2, 0, 1)[None])[0]
    unit = (int(entries.channel[at]), *entries.cell[at].tolist())
    start = float(entries.activation[at])
    box = run.records["conv2"].box[entries.channel[at], entries.rank[at]]
    whole = autograd_projection(run.loaded_model.network, image, "conv2", unit, start)
    expected = under_box(whole, box.tolist()).detach().numpy()
    stored = found.arrays["projection"][at].astype(np.float32) * found.arrays["scale"][at]
    assert np.linalg.norm(stored - expected) <= 2e-3 * np.linalg.norm(expected)
    top, left, bottom, right = found.arrays["energy_box"][at].tolist()
    first = (top - box[0], left - box[1])
    part = expected[first[0] : bottom - box[0], first[1] : right - box[1]]
    assert first[0] == first[1]
    assert (part**2).sum() >= 0.9 * (1 - 1e-3) * (expected**2).sum()


def test_an_image_that_the_manifest_does_not_list_stops_the_chunk(run):
    rows = [dataclasses.replace(row, sha256="0" * 64) for row in run.images]
    with pytest.raises(AtlasError, match="is not the file that the manifest lists"):
        project_chunk(entry_task(config_of(run), rows, chunk(run)), CPU)
