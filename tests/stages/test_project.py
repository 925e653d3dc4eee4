"""project on a small finished scan: what it stores beside the projections."""

import itertools
import shutil

import numpy as np
import pytest
import torch
import zarr
from click.testing import CliRunner

from pipeline.atlas import open_atlas
from pipeline.project.control import CONTROL_RANKS, load_start
from pipeline.project.deconvnet import Deconvnet, Switches, Units
from pipeline.verify.entry import cut_out
from pipeline.verify.reference import Reference
from pipeline.workspace import Workspace
from stages.project import main as project
from tests.finished_scan import CROP, ENDLESS, finished_scan

LAYERS = ("conv1", "conv3", "conv5", "fc8")


def run(workspace: Workspace) -> None:
    result = CliRunner().invoke(project, ["-w", str(workspace.root)])
    assert result.exit_code == 0, result.output


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Workspace:
    workspace = finished_scan(tmp_path_factory.mktemp("finished") / "run", LAYERS)
    run(workspace)
    return workspace


def layer_of(workspace: Workspace, layer: str) -> dict[str, np.ndarray]:
    group = zarr.open_group(workspace.projections / layer, mode="r")
    return {name: array[...] for name, array in group.arrays()}


@pytest.mark.parametrize("layer", LAYERS)
def test_an_energy_box_is_around_its_unit_and_holds_nine_tenths_of_the_energy(finished, layer):
    arrays, record = layer_of(finished, layer), open_atlas(finished.artifacts).scan(layer)
    for channel, rank in np.argwhere(arrays["scale"] > 0).tolist():
        first, middle = record.box[channel, rank][:2], centre(layer, record.cell[channel, rank])
        energy = (arrays["projection"][channel, rank].astype(np.float64) ** 2).sum(axis=2)
        top, left, bottom, right = arrays["energy_box"][channel, rank] - np.tile(first, 2)
        reach = max(
            np.abs(first + corner - middle).max() for corner in ((top, left), (bottom, right))
        )
        around = square(energy, middle - first, reach)
        assert around.shape == (bottom - top, right - left)
        assert around.sum() == energy[top:bottom, left:right].sum()
        smaller = square(energy, middle - first, reach - 1).sum()
        assert smaller < 0.9 * energy.sum() <= around.sum()


def centre(layer: str, cell: np.ndarray) -> np.ndarray:
    """Of a unit's field without end, from the table of the paper's numbers; in the image."""
    size, jump, start = ENDLESS.get(layer, (CROP, 0, 0))
    return (cell * jump + start + size / 2).clip(0.5, CROP - 0.5)


def square(energy: np.ndarray, middle: np.ndarray, reach: float) -> np.ndarray:
    """The part of a picture within a distance, as far as it is there."""
    first, last = (np.clip(middle + way * reach, 0, len(energy)).astype(int) for way in (-1, 1))
    return energy[first[0] : last[0], first[1] : last[1]]


@pytest.mark.parametrize("layer", LAYERS)
def test_the_control_is_the_reference_of_a_network_with_the_starts_weights(finished, layer):
    """The unit, its cell and its activation are the trained network's, the switches the start's."""
    done, arrays = open_atlas(finished.artifacts), layer_of(finished, layer)
    assert arrays["control"].shape[1] == CONTROL_RANKS
    start = load_start(finished.model, done.card.sha256, done.params.seed)
    reference = Reference(start.graph, dict(start.network.named_parameters()))
    record, checked = done.scan(layer), 0
    for channel, rank in np.argwhere(record.image[:, :CONTROL_RANKS] >= 0)[::7].tolist():
        image = done.input(int(record.image[channel, rank])).double()
        unit = (channel, *record.cell[channel, rank].tolist())
        peak = float(record.activation[channel, rank])
        expected = cut_out(
            reference(image, [layer]).project(layer, unit, peak), record.box[channel, rank]
        )
        scale = arrays["control_scale"][channel, rank]
        own = torch.from_numpy(arrays["control"][channel, rank].astype(np.float64)) * float(scale)
        error = float((own - expected).norm() / expected.norm()) if expected.any() else 0.0
        checked += error < 2e-3
    assert checked >= 1  # equal values in a pool may part the two; most entries have none


def test_a_start_with_the_same_weights_has_a_correlation_of_1(finished, tmp_path):
    shutil.copytree(finished.root, tmp_path / "run")
    copy = Workspace(tmp_path / "run")
    (copy.model / "snapshots").mkdir()
    shutil.copy(copy.model / "weights.safetensors", copy.model / "snapshots/epoch_000.safetensors")
    run(copy)
    for layer in LAYERS:
        attributes = zarr.open_group(copy.projections / layer, mode="r").attrs
        assert attributes["control_correlation"] == pytest.approx(1, abs=1e-3)
        assert attributes["control_start"] == "snapshot"
        assert attributes["method"] == "deconvnet"


def test_weights_drawn_again_give_other_pictures(finished):
    for layer in LAYERS:
        attributes = zarr.open_group(finished.projections / layer, mode="r").attrs
        assert attributes["control_correlation"] < 0.9
        assert attributes["control_start"] == "redrawn"


@pytest.mark.parametrize("layer", LAYERS)
def test_a_map_is_the_channels_activations_in_the_whole_image_to_half_a_level(finished, layer):
    done, arrays = open_atlas(finished.artifacts), layer_of(finished, layer)
    record, network = done.scan(layer), done.model()
    levels, ends = arrays["activation_map"].astype(np.float64), arrays["map_range"]
    for row in range(14):
        maps = network.activations(done.input(row)[None], [layer])[layer][0].detach().numpy()
        for channel, rank in np.argwhere(record.image == row).tolist():
            own = maps[channel]
            least, largest = ends[channel, rank].astype(np.float64)
            slack = 1e-4 * float(np.abs(maps).max())
            assert (least, largest) == pytest.approx((own.min(), own.max()), abs=slack)
            restored = least + levels[channel, rank] / 255 * (largest - least)
            assert np.abs(restored - own).max() <= (largest - least) / 510 + slack
    missing = record.image < 0
    assert not levels[missing].any()
    assert not ends[missing].any()


def window_vectors(done, layer, row, cell):
    """What feeds a unit, gathered by hand: (cell, channel) of the map before, padded with 0."""
    before, first, side = {
        "conv1": (None, None, 7),  # the pixels of its box
        "conv5": ("conv4", np.array([0, 0]), 3),  # the whole map, which its window covers
        "fc8": ("fc7", cell, 1),
    }[layer]
    image = done.input(row)
    maps = image if before is None else done.model().activations(image[None], [before])[before][0]
    maps = maps.detach().numpy()
    maps = maps[:, None, None] if maps.ndim == 1 else maps
    top, left = done.field("conv1").boxes(cell)[:2] if first is None else first
    around = np.pad(maps, ((0, 0), (9, 9), (9, 9)))
    found = around[:, top + 9 : top + 9 + side, left + 9 : left + 9 + side].reshape(len(maps), -1).T
    length = np.linalg.norm(found, axis=1, keepdims=True)
    return found / np.where(length > 0, length, 1)


@pytest.mark.parametrize("layer", ["conv1", "conv5", "fc8"])
def test_patch_similarity_is_the_mean_over_pairs_of_patches_in_the_layer_before(finished, layer):
    done, stored = open_atlas(finished.artifacts), layer_of(finished, layer)["patch_similarity"]
    record, compared = done.scan(layer), 0
    assert stored.shape == record.fired.shape
    for channel, rows in enumerate(record.image):
        patches = [
            window_vectors(done, layer, int(row), record.cell[channel, rank])
            for rank, row in enumerate(rows)
            if row >= 0
        ]
        pairs = list(itertools.combinations(patches, 2))
        expected = [1 - np.square(a - b).sum(axis=1).mean() / 2 for a, b in pairs]
        if expected:
            assert stored[channel] == pytest.approx(np.mean(expected), abs=1e-3)
            compared += 1
        else:
            assert np.isnan(stored[channel])
    assert compared


def test_a_batch_that_a_gpu_has_no_memory_for_is_projected_in_halves(
    finished, tmp_path, monkeypatch
):
    expected = {layer: layer_of(finished, layer) for layer in LAYERS}
    workspace = Workspace(tmp_path / "run")
    shutil.copytree(finished.root, workspace.root)  # of another folder: nothing is kept in memory
    project_units = Deconvnet.__call__

    def out_of_memory(self: Deconvnet, units: Units, switches: Switches) -> torch.Tensor:
        if len(units.channel) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return project_units(self, units, switches)

    monkeypatch.setattr(Deconvnet, "__call__", out_of_memory)
    run(workspace)
    for layer in LAYERS:
        found = layer_of(workspace, layer)
        for name in ("projection", "control"):
            np.testing.assert_allclose(
                found[name].astype(np.float32), expected[layer][name], atol=2e-3
            )
