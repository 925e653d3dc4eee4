"""project on a small finished scan: what it stores beside the projections."""

import shutil

import numpy as np
import pytest
import torch
import zarr
from click.testing import CliRunner

from pipeline.atlas import open_atlas
from pipeline.project.control import CONTROL_RANKS, load_start
from pipeline.project.deconvnet import Deconvnet, Switches, Units
from pipeline.verify.entry import cut
from pipeline.verify.reference import Reference
from pipeline.workspace import Workspace
from stages.project import main as project
from tests.finished_scan import finished_scan

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
def test_an_energy_box_is_centred_and_holds_nine_tenths_of_the_energy(finished, layer):
    arrays, boxes = layer_of(finished, layer), open_atlas(finished.artifacts).scan(layer).box
    for channel, rank in np.argwhere(arrays["scale"] > 0).tolist():
        box, energy_box = boxes[channel, rank], arrays["energy_box"][channel, rank]
        margin = int(energy_box[0] - box[0])
        assert (energy_box - box == margin * np.array([1, 1, -1, -1])).all()
        energy = (arrays["projection"][channel, rank].astype(np.float64) ** 2).sum(axis=2)
        side = len(energy)
        within = energy[margin : side - margin, margin : side - margin].sum()
        smaller = energy[margin + 1 : side - margin - 1, margin + 1 : side - margin - 1].sum()
        assert smaller < 0.9 * energy.sum() <= within


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
        expected = cut(
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
