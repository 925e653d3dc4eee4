"""The scan's examples in `scan`, `crop` and `verify`, and its store as labelled data."""

import numpy as np
import pytest
import xarray
import zarr
from click.testing import CliRunner

from pipeline.atlas import open_atlas
from pipeline.workspace import Workspace
from stages.cli import main
from tests.finished_scan import finished_scan, show_scan
from tests.workspaces import write_params

LAYERS = ["conv1", "conv3", "fc8"]


def run(workspace: Workspace, stage: str, *options: str, status: int = 0) -> str:
    result = CliRunner().invoke(main, [stage, "-w", str(workspace.root), *options])
    assert result.exit_code == status, result.output
    return result.output


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Workspace:
    """A run whose scan is the stage's own."""
    workspace = finished_scan(tmp_path_factory.mktemp("finished") / "run", tuple(LAYERS))
    photos = {"root": str(workspace.root / "photos")}
    write_params(workspace.root, {"data": photos, "scan": {"layers": LAYERS}})
    for stage in ("scan", "project", "crop"):
        run(workspace, stage)
    return workspace


@pytest.mark.parametrize("layer", LAYERS)
def test_an_example_crop_shows_the_pixels_of_its_box(finished, layer):
    done = open_atlas(finished.artifacts)
    examples = done.scan(layer).examples
    crops = np.asarray(zarr.open_array(finished.crops / layer / "example_crop", mode="r"))
    for channel, place in np.ndindex(examples.example_image.shape):
        image = int(examples.example_image[channel, place])
        if image < 0:
            assert not crops[channel, place].any()
            continue
        top, left, bottom, right = examples.example_box[channel, place].tolist()
        side = bottom - top
        around = np.pad(done.image(image), ((side, side), (side, side), (0, 0)))
        expected = around[top + side : bottom + side, left + side : right + side]
        assert (crops[channel, place] == expected).all()


def test_verify_finds_a_run_with_examples_right(finished):
    assert " up to a tie" in run(finished, "verify", "--entries", "9")


@pytest.mark.parametrize(
    ("name", "value"),
    [("example_image", 99), ("example_activation", 1e9), ("example_box", 5), ("example_cell", 40)],
)
def test_verify_finds_an_example_that_contradicts_the_rest(finished, name, value):
    array = zarr.open_array(finished.scan / "conv3" / name, mode="r+")
    before = array[...]
    try:
        wrong = before.copy()
        wrong[0, 0] = value
        array[...] = wrong
        shown = open_atlas(finished.artifacts).entries_provenance.scan_sha256
        for store in (finished.projections, finished.crops):
            show_scan(store, shown)
        assert "examples" in run(finished, "verify", "--entries", "0", status=1)
    finally:
        array[...] = before


def test_the_scan_reads_as_a_labelled_data_set(finished):
    tree = xarray.open_datatree(finished.scan, engine="zarr")
    layer, done = tree["conv3"], open_atlas(finished.artifacts)
    assert layer["class"].values.tolist() == list(done.card.classes)
    record = done.scan("conv3")
    one = layer["mean_peak_by_class"].sel({"class": done.card.classes[1]})
    np.testing.assert_array_equal(one.values, record.mean_peak_by_class[:, 1])
    assert layer["histogram"].sel(bin=record.edges[3]).values.tolist() == (
        record.histogram[:, 3].tolist()
    )
    assert layer["example_image"].sel(example="90%").dims == ("channel", "example")
    assert layer["box"].sel(edge="left").values.tolist() == record.box[..., 1].tolist()
    assert layer.attrs["map_size"] == list(done.graph.layer("conv3").size)
    assert layer.attrs["field_size"] == list(done.field("conv3").size)
