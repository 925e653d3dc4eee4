"""project, crop and verify on a small finished scan: equal bytes, resumption, and every fault."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import zarr
from click.testing import CliRunner
from PIL import Image

from pipeline.atlas import open_atlas
from pipeline.errors import AtlasError
from pipeline.network.card import load_card
from pipeline.storage.scan_record import scan_sha256
from pipeline.storage.stores import open_layer, open_store, read_scan
from stages.crop import main as crop
from stages.project import main as project
from stages.verify import main as verify
from tests.finished_scan import CROP, FIELDS, finished_scan, show_scan

pytestmark = pytest.mark.slow


def run(command, workspace, *options):
    return CliRunner().invoke(command, ["-w", str(workspace.root), *options])


def well(command, workspace, *options):
    result = run(command, workspace, *options)
    assert result.exit_code == 0, result.output
    return result


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run as far as crops; not to be changed."""
    workspace = finished_scan(tmp_path_factory.mktemp("finished") / "a run")
    well(project, workspace)
    well(crop, workspace)
    return workspace


@pytest.fixture
def copy(finished, tmp_path):
    """A copy to be changed."""
    shutil.copytree(finished.root, tmp_path / "run")
    params = tmp_path / "run" / "params.yaml"
    moved = params.read_text().replace(str(finished.root), str(tmp_path / "run"))
    params.write_text(moved)
    return type(finished)(tmp_path / "run")


def content(store: Path):
    return {
        path.relative_to(store).as_posix(): path.read_bytes()
        for path in sorted(store.rglob("*"))
        if path.is_file()
    }


def report(workspace):
    return json.loads(workspace.report("verify.json").read_text())


def test_a_right_run_is_found_right_and_ties_are_counted_apart(copy):
    well(verify, copy, "--entries", "60", "--seed", "3")
    found = report(copy)
    assert found["entries"] == 60
    assert found["images"] == 6
    assert found["wrong"] == found["faults"] == 0
    assert found["agreed"] + found["tied"] == 60
    assert set(found["layers"]) == {"conv1", "conv2", "conv3", "conv4", "conv5", "fc8"}
    assert max(layer["worst_projection_error"] for layer in found["layers"].values()) < 1e-3


def test_flat_regions_make_ties_that_are_held_to_the_runs_own_switches(copy):
    well(verify, copy, "--entries", "150", "--seed", "1")
    assert report(copy)["agreed"] > 0
    assert report(copy)["wrong"] == 0


def test_two_processes_write_the_same_bytes_as_one(finished, copy):
    well(project, copy, "--workers", "2")
    assert content(copy.projections) == content(finished.projections)


def test_a_run_that_was_stopped_goes_on_and_ends_with_the_same_bytes(copy, monkeypatch, caplog):
    monkeypatch.setattr("pipeline.atlas.chunks.CHUNK_IMAGES", 2)
    lost = copy.root / "photos" / "11.png"
    lost.rename(lost.with_suffix(".away"))
    shutil.rmtree(copy.projections)
    stopped = run(project, copy)
    assert stopped.exit_code == 1
    assert "11.png" in stopped.output
    assert not copy.projections.exists()
    assert list(copy.state("project").rglob("finished.*"))
    lost.with_suffix(".away").rename(lost)
    caplog.set_level("INFO")
    well(project, copy)
    assert "Resuming" in caplog.text
    resumed = content(copy.projections)
    assert not list(copy.state("project").rglob("finished.*"))
    well(project, copy)
    assert content(copy.projections) == resumed


def test_crops_are_the_pixels_under_the_box_and_black_outside(finished):
    scan = open_store(finished.scan, "scan")
    crops = open_store(finished.crops, "crops")
    for layer, (size, jump, start) in FIELDS.items():
        records = dict(open_layer(scan, layer).arrays())
        patches = dict(open_layer(crops, layer).arrays())["crop"][...]
        image, cell = records["image"][...], records["cell"][...]
        assert patches.shape[2:] == (size, size, 3)
        for channel, rank in np.ndindex(image.shape):
            if image[channel, rank] < 0:
                assert not patches[channel, rank].any()
                continue
            file = finished.root / "photos" / f"{image[channel, rank]:02}.png"
            pixels = np.asarray(centre(file))
            around = np.pad(pixels, ((size, size), (size, size), (0, 0)))
            top, left = cell[channel, rank] * jump + start + size
            expected = around[top : top + size, left : left + size]
            assert np.array_equal(patches[channel, rank], expected)


def centre(file: Path):
    """96 × 80 resized so that the shorter side is 72, and the middle 64 × 64 of it."""
    resized = Image.open(file).resize((86, 72), Image.Resampling.BILINEAR)
    left, top = (86 - CROP) // 2, (72 - CROP) // 2
    return resized.crop((left, top, left + CROP, top + CROP))


def test_a_missing_or_dead_entry_is_zero_everywhere(finished):
    image = dict(open_layer(open_store(finished.scan, "scan"), "conv5").arrays())["image"][...]
    layer = dict(open_layer(open_store(finished.projections, "projections"), "conv5").arrays())
    missing = image < 0
    assert not layer["projection"][...][missing].any()
    assert not layer["scale"][...][missing].any()


@pytest.mark.parametrize("kind", ["projections", "crops"])
def test_one_changed_byte_is_caught(copy, kind):
    shard = next((copy.artifacts / f"{kind}.zarr" / "conv3").rglob("c/0/0/*/*/*"))
    data = bytearray(shard.read_bytes())
    data[len(data) // 3] ^= 1
    shard.write_bytes(data)
    result = run(verify, copy, "--entries", "1")
    assert result.exit_code == 1
    assert "damaged" in result.output
    assert report(copy)["faults"] == 1


@pytest.mark.parametrize(
    "name", ["activation", "cell", "box", "histogram", "fired", "mean_peak_by_class"]
)
def test_a_lost_chunk_of_the_scan_is_refused_by_the_reader(copy, name):
    next(path for path in (copy.scan / "conv2" / name / "c").rglob("*") if path.is_file()).unlink()
    for command in (project, crop, verify):
        result = run(command, copy)
        assert result.exit_code == 1
        assert f"conv2/{name} is damaged (its chunk c/0" in result.output
        assert "dvc repro -f -s scan" in result.output


@pytest.mark.parametrize("array", ["projections/projection", "projections/scale", "crops/crop"])
def test_a_lost_chunk_of_pictures_is_caught_whatever_is_drawn(copy, array):
    kind, name = array.split("/")
    folder = copy.artifacts / f"{kind}.zarr" / "conv3" / name / "c"
    next(path for path in folder.rglob("*") if path.is_file()).unlink()
    result = run(verify, copy, "--entries", "0")
    assert result.exit_code == 1
    assert f"conv3/{name} is damaged (its chunk c/0" in result.output
    assert report(copy)["faults"] == 1


def test_one_changed_byte_of_the_scan_is_refused_by_the_reader(copy):
    chunk = copy.scan / "conv2" / "cell" / "c" / "0" / "0" / "0"
    data = bytearray(chunk.read_bytes())
    data[len(data) // 2] ^= 1
    chunk.write_bytes(data)
    for command in (project, crop, verify):
        result = run(command, copy)
        assert result.exit_code == 1
        assert "dvc repro -f -s scan" in result.output


def test_an_image_replaced_on_disk_is_caught_by_every_reader(copy):
    shutil.copy(copy.root / "photos" / "02.png", copy.root / "photos" / "01.png")
    for command in (project, crop, verify):
        result = run(command, copy)
        assert result.exit_code == 1
        assert "01.png is not the file that the manifest lists" in result.output


def change(store: Path, layer: str, name: str, edit):
    """Rewrite an array of a store through Zarr, checksums and all."""
    with zarr.config.set({"array.write_empty_chunks": True}):
        array = zarr.open_array(store / layer / name, mode="r+")
    values = array[...]
    edit(values)
    array[...] = values


def own_the_pictures(workspace):
    """Have the pictures' stores say that they show the entries that the scan now holds."""
    scan = open_store(workspace.scan, "scan")
    order = [layer for layer in load_card(workspace.model).graph().layers if layer in scan]
    found = scan_sha256({layer: read_scan(scan, layer) for layer in order})
    for store in (workspace.projections, workspace.crops):
        show_scan(store, found)


def double(values):
    values[:, 0] *= 2


def enlarge(values):
    values *= np.float32(1.01)


def negate_rows(values):
    values[:, :, 5:9] *= -1


def brighten_a_pixel(values):
    values[:, :, 40, 40] += 1


def shift(values):
    values += 1


def swap_ranks(values):
    values[:, [0, 1]] = values[:, [1, 0]]


def clear(values):
    values[...] = 0


def negate(values):
    values *= -1


def forget_the_first(values):
    values[:, 0] = 0


def count_one_more(values):
    values[:, -1] += 1


WRONG = {
    "an activation": ("scan", "activation", double),
    "a scale": ("projections", "scale", enlarge),
    "a picture": ("projections", "projection", negate_rows),
    "an energy box": ("projections", "energy_box", shift),
    "an activation map": ("projections", "activation_map", shift),
    "a map's range": ("projections", "map_range", double),
    "a patch similarity": ("projections", "patch_similarity", shift),
    "a crop": ("crops", "crop", brighten_a_pixel),
    "an image": ("scan", "image", swap_ranks),
}
AT_ODDS = {
    "a box": ("scan", "box", shift),
    "a count of images": ("scan", "fired", clear),
    "a histogram": ("scan", "histogram", clear),
    "a count in a bin": ("scan", "histogram", count_one_more),
    "the means": ("scan", "mean_peak_by_class", clear),
    "a class's mean": ("scan", "mean_peak_by_class", forget_the_first),
    "the sign of the means": ("scan", "mean_peak_by_class", negate),
}


@pytest.mark.parametrize("what", [*WRONG, *AT_ODDS])
def test_a_wrong_value_with_a_right_checksum_is_found(copy, what):
    """What others of the store contradict is found whatever is drawn, so nothing is drawn."""
    kind, name, edit = (WRONG | AT_ODDS)[what]
    change(copy.artifacts / f"{kind}.zarr", "conv3", name, edit)
    own_the_pictures(copy)
    result = run(verify, copy, "--entries", "40" if what in WRONG else "0")
    assert result.exit_code == 1
    assert "conv3" in result.output
    assert "Traceback" not in result.output
    assert report(copy)["faults"] > 0


def test_pictures_of_another_scan_are_refused(copy):
    change(copy.scan, "conv3", "cell", shift)
    result = run(verify, copy)
    assert result.exit_code == 1
    assert "projections.zarr belongs to another scan" in result.output
    shutil.rmtree(copy.projections)
    with pytest.raises(AtlasError, match=r"crops\.zarr belongs to another scan"):
        open_atlas(copy.artifacts).store("crops")


def test_an_unfinished_store_is_refused(copy):
    root = zarr.open_group(copy.projections, mode="r+")
    root.attrs["complete"] = False
    result = run(verify, copy)
    assert result.exit_code == 1
    assert "never finished" in result.output
