"""The reader's contract, on stores whose bytes are read here without it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray
import zarr
from PIL import Image
from safetensors.torch import load_file, save_file

from pipeline.atlas import Run, open_atlas
from pipeline.errors import AtlasError
from pipeline.network.card import snapshot_path
from pipeline.storage.sealed import read_sealed, write_sealed
from pipeline.storage.stores import open_store
from pipeline.workspace import Workspace
from tests.atlas_site.synthetic_run import Plan, write_run
from tests.imports import ROOT


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return write_run(tmp_path_factory.mktemp("reader") / "run")


def stored(run: Workspace, name: str, path: str) -> np.ndarray:
    return np.asarray(zarr.open_array(str(run.artifacts / name / path), mode="r"))


def test_layers_come_in_the_order_of_the_network(tmp_path: Path):
    run = write_run(tmp_path / "run", Plan(layers=("fc8", "conv2", "conv1"), partial={}))
    assert open_atlas(run.artifacts).layers == ("conv1", "conv2", "fc8")


def test_top_gives_every_rank_as_stored(run: Workspace):
    entries = open_atlas(str(run.artifacts)).top("conv3", 0)
    assert len(entries) == 9
    lines = (run.artifacts / "manifest.csv").read_text(encoding="utf-8")
    for rank, entry in enumerate(entries):
        assert entry.activation == stored(run, "scan.zarr", "conv3/activation")[0, rank]
        assert entry.image == stored(run, "scan.zarr", "conv3/image")[0, rank]
        assert list(entry.cell) == stored(run, "scan.zarr", "conv3/cell")[0, rank].tolist()
        assert list(entry.box) == stored(run, "scan.zarr", "conv3/box")[0, rank].tolist()
        assert (entry.crop == stored(run, "crops.zarr", "conv3/crop")[0, rank]).all()
        assert entry.path.split("/")[0] == "val"
        assert entry.label.replace('"', '""') in lines


def test_a_projection_is_the_stored_picture_times_its_scale(run: Workspace):
    picture = stored(run, "projections.zarr", "conv3/projection")[0].astype(np.float32)
    scale = stored(run, "projections.zarr", "conv3/scale")[0]
    for rank, entry in enumerate(open_atlas(run.artifacts).top("conv3", 0)):
        assert entry.projection.dtype == np.float32
        np.testing.assert_array_equal(entry.projection, picture[rank] * scale[rank])
        np.testing.assert_allclose(np.abs(entry.projection).max(), scale[rank], rtol=1e-3)


def test_missing_entries_are_marked_and_have_no_picture(run: Workspace):
    entries = open_atlas(run.artifacts).top("conv3", 2)
    assert [entry.missing for entry in entries] == [False] * 4 + [True] * 5
    assert entries[4].image == -1
    assert (entries[4].label, entries[4].path) == ("", "")
    assert not entries[4].projection.any()


def test_an_image_is_the_resized_centre_square_and_an_input_its_normalisation(run: Workspace):
    atlas = open_atlas(run.artifacts)
    file = run.root / "data" / atlas.images[7].path
    with Image.open(file) as image:
        assert image.size == (96, 80)
        resized = image.convert("RGB").resize((86, 72), Image.Resampling.BILINEAR)
    left, top = round((86 - 64) / 2), round((72 - 64) / 2)
    expected = np.asarray(resized)[top : top + 64, left : left + 64]
    pixels = atlas.image(7)
    assert pixels.dtype == np.uint8
    assert np.abs(pixels.astype(int) - expected.astype(int)).max() <= 1
    mean = np.array([124.0, 117.0, 104.0], np.float32)
    normalised = (pixels.astype(np.float32) - mean) / 64
    assert atlas.input(7).dtype == torch.float32
    np.testing.assert_allclose(atlas.input(7).permute(1, 2, 0).numpy(), normalised, rtol=1e-6)


def test_the_model_scores_an_input(run: Workspace):
    atlas = open_atlas(run.artifacts)
    network = atlas.model()
    assert not network.training
    assert network(atlas.input(0)[None]).shape == (1, 3)


def test_the_filters_are_the_weights_with_colour_last(run: Workspace):
    atlas = open_atlas(run.artifacts)
    weight = atlas.model().get_parameter("conv1.weight")
    assert (atlas.weights.filters("conv1")[3, 1, 2] == weight[3, :, 1, 2].numpy()).all()


READ = """
import sys
from pipeline.atlas import open_atlas
atlas = open_atlas(sys.argv[1])
atlas.weights.filters("conv1"), atlas.weights.start_cosine("conv2")
atlas.weights.kernels_from_below("conv2", ["conv1"])
atlas.image(0), atlas.top("conv1", 0), atlas.frames("conv3")
assert "torch" not in sys.modules
"""


def test_a_reader_imports_torch_for_the_network_alone(run: Workspace):
    subprocess.run([sys.executable, "-c", READ, str(run.artifacts)], cwd=ROOT, check=True)


def test_a_filter_says_how_much_of_it_is_still_its_start(tmp_path: Path):
    run = write_run(tmp_path / "run")
    snapshot_path(run.model, 0).unlink()
    with pytest.raises(AtlasError, match=r"no .*epoch_000.safetensors"):
        open_atlas(run.artifacts).weights.start_cosine("conv2")
    card = run.model / "model.json"
    write_sealed(card, read_sealed(card, fix="") | {"snapshots": {}})
    assert Run(run, run.artifacts).weights.start_cosine("conv2") is None
    start = load_file(run.model / "weights.safetensors")
    start["conv2.weight"][1] *= -0.5
    start["conv2.weight"][2] = start["conv2.weight"][2].flip(-1)
    snapshot_path(run.model, 0).parent.mkdir(exist_ok=True)
    save_file(start, snapshot_path(run.model, 0))
    atlas = Run(run, run.artifacts)
    cosine = atlas.weights.start_cosine("conv2")
    assert cosine is not None
    assert cosine[[0, 1, 3]].tolist() == pytest.approx([1.0, 1.0, 1.0])
    assert cosine[2] < 0.9
    assert atlas.weights.start_cosine("fc8") is None


@pytest.mark.parametrize(
    ("layer", "channel", "message"),
    [("conv9", 0, "no layer 'conv9'"), ("conv3", 99, "no channel 99"), ("conv3", -1, "channel -1")],
)
def test_what_does_not_exist_is_refused_by_name(
    run: Workspace, layer: str, channel: int, message: str
):
    with pytest.raises(AtlasError, match=message):
        open_atlas(run.artifacts).top(layer, channel)


@pytest.mark.parametrize("row", [-1, 15])
def test_an_image_row_outside_the_split_is_refused(run: Workspace, row: int):
    with pytest.raises(AtlasError, match=f"image row {row}"):
        open_atlas(run.artifacts).image(row)


def test_a_folder_that_is_none_is_refused(tmp_path: Path):
    with pytest.raises(AtlasError, match="no folder"):
        open_atlas(tmp_path / "nothing")


@pytest.mark.parametrize("store", ["scan", "projections", "crops"])
def test_a_store_of_another_model_is_refused(tmp_path: Path, store: str):
    run = write_run(tmp_path / "run", Plan(layers=("conv1",)))
    meta = run.artifacts / f"{store}.zarr" / "zarr.json"
    content = json.loads(meta.read_text())
    content["attributes"]["weights_sha256"] = "0" * 64
    meta.write_text(json.dumps(content))
    with pytest.raises(AtlasError, match="belongs to other weights"):
        open_atlas(run.artifacts).top("conv1", 0)


CHANGES = {
    "classes": lambda names: [*names[1:], names[0]],
    "scale": lambda scale: scale * 2,
    "mean": lambda mean: [mean[1], mean[0], mean[2]],
    "resize": lambda side: side + 1,
    "seed": lambda seed: seed + 1,
    "epochs_trained": lambda epochs: epochs - 1,
}
"""Entries of a model card that no weight shows, and another value of each."""


@pytest.mark.parametrize("changed", CHANGES)
@pytest.mark.parametrize("store", ["scan", "projections", "crops"])
def test_every_store_is_bound_to_the_whole_model_card(run: Workspace, tmp_path, store, changed):
    copy = Workspace(tmp_path)
    shutil.copytree(run.model, copy.model)
    shutil.copy(run.manifest, copy.manifest)
    facts = read_sealed(copy.model / "model.json", fix="")
    write_sealed(copy.model / "model.json", facts | {changed: CHANGES[changed](facts[changed])})
    with pytest.raises(AtlasError, match=r"belongs to another model .*Run `dvc repro"):
        open_store(run.artifacts / f"{store}.zarr", store, Run(copy, copy.artifacts).provenance)


@pytest.mark.parametrize("store", ["scan", "projections", "crops"])
def test_a_changed_fact_of_a_store_is_noticed(run: Workspace, tmp_path: Path, store: str):
    shutil.copytree(run.artifacts, tmp_path / "artifacts")
    path = tmp_path / "artifacts" / f"{store}.zarr"
    metadata = json.loads((path / "zarr.json").read_text())
    layers = metadata["consolidated_metadata"]["metadata"]
    layers["conv1"]["attributes"]["method"] = "gradient"
    (path / "zarr.json").write_text(json.dumps(metadata))
    with pytest.raises(AtlasError, match="not as it was written"):
        open_store(path, store)


def test_a_store_of_another_manifest_is_refused(tmp_path: Path):
    run = write_run(tmp_path / "run", Plan(layers=("conv1",)))
    with run.manifest.open("a", encoding="utf-8") as file:
        file.write("val,z.png,plain,80,80,0\n")
    with pytest.raises(AtlasError, match="belongs to another manifest"):
        open_atlas(run.artifacts)


def test_reports_of_stages_that_have_not_run_are_empty(tmp_path: Path):
    run = write_run(tmp_path / "run", Plan(layers=("conv1",)))
    for path in run.report("x").parent.iterdir():
        path.unlink()
    (run.artifacts / "predictions.csv").unlink()
    atlas = open_atlas(run.artifacts)
    assert atlas.reports.error_rates() is None
    assert atlas.reports.verification() is None
    assert atlas.reports.training() is None
    assert atlas.reports.history() == ()
    assert atlas.reports.predictions() == {}


def test_what_another_model_learnt_and_said_is_refused(run: Workspace, tmp_path: Path):
    here = write_run(tmp_path / "run", Plan(layers=("conv1",), seed=1))
    for name in ("reports/train.json", "reports/train_history.csv"):
        shutil.copy(run.root / name, here.root / name)
    with pytest.raises(AtlasError, match=r"train\.json was made from another model"):
        open_atlas(here.artifacts).reports.history()
    for name in ("reports/evaluate.json", "artifacts/predictions.csv"):
        shutil.copy(run.root / name, here.root / name)
    with pytest.raises(AtlasError, match=r"evaluate\.json was made from another model"):
        open_atlas(here.artifacts).reports.predictions()


def test_a_history_has_a_record_per_epoch(run: Workspace):
    history = open_atlas(run.artifacts).reports.history()
    assert [record.epoch for record in history] == list(range(1, 31))
    assert history[-1].val_loss < history[0].val_loss


def test_the_stores_open_with_xarray_too(run: Workspace):
    found = xarray.open_zarr(run.scan, group="conv3")
    assert found["activation"].dims == ("channel", "rank")
    assert found["box"].sizes["edge"] == 4
