"""A stage of pictures whose work needs no network: every entry's picture is its image row."""

from contextlib import contextmanager, nullcontext

import numpy as np
import pytest

from pipeline.atlas import Run
from pipeline.atlas.layer_entries import entries_of
from pipeline.atlas.pictures import Pictures, PictureStage
from pipeline.atlas.runner import picture_tables
from pipeline.storage.spill import Values
from pipeline.storage.stores import open_store, read_array
from tests.figure_making import Here
from tests.finished_scan import finished_scan

WORKERS = nullcontext(Here())
"""In place of Dask's."""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    workspace = finished_scan(tmp_path_factory.mktemp("pictures") / "run", ("conv1", "conv2"))
    return Run(workspace, workspace.artifacts)


@contextmanager
def bar(title, total, unit):
    yield lambda items: None


def row_as_colour(task, device):
    return {
        layer: Values(
            part.channel,
            part.rank,
            {
                "crop": np.broadcast_to(
                    (part.image + 1).astype(np.uint8)[:, None, None, None],
                    (len(part), *task.config[layer], 3),
                )
            },
        )
        for layer, part in task.chunk.items()
    }


def interrupted(task, device):
    raise KeyboardInterrupt


def stage(run, work=row_as_colour):
    sizes = {layer: run.field(layer).size for layer in run.layers}
    entries = {layer: entries_of(record) for layer, record in run.records.items()}
    shapes = {layer: record.image.shape for layer, record in run.records.items()}
    ranks = {layer: shape[1] for layer, shape in shapes.items()}
    tables = picture_tables(run.graph, shapes, ranks, "crop", "uint8")
    one = Pictures("crop", work, sizes, entries, tables)
    return PictureStage("crop", "crops", (one,), {"size": 1}, lambda layer: {"note": "by hand"})


def test_the_store_has_every_entry_s_picture_and_the_layers_attributes(run, tmp_path):
    stage(run).run(run, tmp_path / "crops.zarr", WORKERS, bar)
    store = open_store(tmp_path / "crops.zarr", "crops", run.entries_provenance)
    for layer, record in run.records.items():
        crop = read_array(store[layer], "crops", "crop")
        assert crop.shape[2:4] == run.field(layer).size
        assert (crop == (record.image + 1)[..., None, None, None]).all()  # missing ones are 0
        assert store[layer].attrs["note"] == "by hand"
    assert not list(run.workspace.state("crop").glob("*/crop"))


def test_an_interrupted_stage_publishes_nothing_and_is_taken_up_again(run, tmp_path):
    out = tmp_path / "crops.zarr"
    with pytest.raises(KeyboardInterrupt):
        stage(run, interrupted).run(run, out, WORKERS, bar)
    assert not out.exists()
    assert len(list(run.workspace.state("crop").glob("*/crop"))) == 1
    stage(run).run(run, out, WORKERS, bar)
    assert open_store(out, "crops", run.entries_provenance)
