"""The scan against brute force, and the same bits whoever computes and whatever breaks."""

import dataclasses
import logging
import random
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from pipeline.compute.cluster import workers
from pipeline.compute.pool import Pool
from pipeline.dataset.store import FolderStore
from pipeline.errors import AtlasError
from pipeline.network.card import load_card
from pipeline.network.model import save_model
from pipeline.params import ScanParams
from pipeline.scan.forward import Forward
from pipeline.scan.scan import Scan, plan_scan
from pipeline.scan.worker import scan_chunk
from pipeline.storage.scan_record import scan_record
from tests.pipeline.scan.worlds import World, make_world
from tests.squares import load_square

CPU = torch.device("cpu")
LAYERS = ("conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "fc8")


def planned(world: World, layers: tuple[str, ...] = LAYERS, batch_size: int = 4) -> Scan:
    params = ScanParams(layers=layers, top=9, batch_size=batch_size, tf32=False)
    return plan_scan(
        params, load_card(world.model), world.model, world.images, FolderStore(world.root)
    )


class HerePool(Pool):
    """Runs the tasks where it stands, in an order of its own."""

    def __init__(self, seed: int | None = None) -> None:
        self.seed = seed

    def run(self, task, jobs):
        jobs = list(jobs)
        if self.seed is not None:
            random.Random(self.seed).shuffle(jobs)
        for key, job in jobs:
            yield key, task(job, CPU)


def scanned(world: World, folder: Path, pool: Pool | None = None, **plan):
    """The records by layer."""
    folder.mkdir(exist_ok=True)
    layers = planned(world, **plan).run(pool or HerePool(), folder / "checkpoint")
    records = {}
    for layer, statistics in layers.items():
        found = statistics.result()
        arrays = {name: variable.values for name, variable in found.items()}
        records[layer] = scan_record(arrays, found["histogram"].attributes["edges"])
    return records


def bits(records):
    return {
        layer: [
            np.asarray(value).tobytes()
            for part in (record, record.examples)
            for value in vars(part).values()
            if value is not record.examples
        ]
        for layer, record in records.items()
    }


def every_peak(world: World, layer: str):
    """(peaks, cells), each by (image, channel): the network's own forward pass, image by image."""
    model = world.load()
    peaks, cells = [], []
    for image in world.images:
        square = load_square(world.root / image.path, model.card.resize, model.card.crop)
        inputs = model.normalisation(torch.tensor(square).movedim(-1, 0)[None])
        maps = model.network.activations(inputs, [layer])[layer].numpy()[0]
        maps = maps.reshape(len(maps), -1, max(1, round(np.sqrt(maps[0].size))))
        peaks.append(maps.max(axis=(1, 2)))
        flat = maps.reshape(len(maps), -1).argmax(axis=1)
        cells.append(np.stack(np.unravel_index(flat, maps.shape[1:]), axis=-1))
    return np.array(peaks), np.array(cells)


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> World:
    """Forty images, the last ten equal to the first ten, and two channels that never fire."""
    return make_world(tmp_path_factory.mktemp("scan") / "world", 40, copies=10, dead=2)


@pytest.fixture(scope="module")
def expected(world, tmp_path_factory):
    return scanned(world, tmp_path_factory.mktemp("expected"))


@pytest.mark.parametrize("layer", LAYERS)
def test_the_top_nine_are_those_of_brute_force(world, expected, layer):
    peaks, cells = every_peak(world, layer)
    found = expected[layer]
    for channel in range(peaks.shape[1]):
        ranked = sorted(range(40), key=lambda row: (-peaks[row, channel], row))
        best = [row for row in ranked if layer == "fc8" or peaks[row, channel] > 0][:9]
        missing = 9 - len(best)
        assert found.image[channel].tolist() == best + [-1] * missing
        assert found.cell[channel, : len(best)].tolist() == cells[best, channel].tolist()
        assert (found.cell[channel, len(best) :] == -1).all()
        np.testing.assert_allclose(
            found.activation[channel], [*peaks[best, channel], *[0] * missing], rtol=1e-4, atol=1e-6
        )


@pytest.mark.parametrize("layer", LAYERS)
def test_the_statistics_are_those_of_brute_force(world, expected, layer):
    peaks, _ = every_peak(world, layer)
    found = expected[layer]
    assert found.fired.tolist() == (peaks > 0).sum(axis=0).tolist()
    assert found.histogram.sum(axis=1).tolist() == [40] * peaks.shape[1]
    assert found.edges[-1] / 2 <= np.abs(peaks).max() * (1 + 1e-5)
    labels = np.array([image.label for image in world.images])
    means = [peaks[labels == name].mean(axis=0) for name in ("ape", "bee", "cow")]
    np.testing.assert_allclose(found.mean_peak_by_class.T, means, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("layer", LAYERS)
def test_the_cell_of_every_example_is_that_of_brute_force(world, expected, layer):
    peaks, cells = every_peak(world, layer)
    found = expected[layer].examples
    silent = found.example == "silent"
    for channel in range(peaks.shape[1]):
        image, real = found.example_image[channel], (found.example_image[channel] >= 0) & ~silent
        assert found.example_cell[channel, real].tolist() == cells[image[real], channel].tolist()
        np.testing.assert_allclose(
            found.example_activation[channel, real], peaks[image[real], channel], 1e-4, 1e-6
        )
        quiet = image[silent & (image >= 0)]
        assert (peaks[quiet, channel] <= 0).all()
        if layer != "fc8":
            assert len(quiet) == min(3, int((peaks[:, channel] <= 0).sum()))


def test_ties_are_forced_and_go_to_the_lower_row(expected):
    pairs = 0
    for image, activation in zip(
        expected["conv3"].image, expected["conv3"].activation, strict=True
    ):
        for rank in np.flatnonzero((activation[1:] == activation[:-1]) & (image[1:] >= 30)):
            assert image[rank + 1] == image[rank] + 30
            pairs += 1
    assert pairs > 20


def test_a_channel_that_never_fires_has_nine_missing_entries(expected):
    for channel in (0, 1):
        assert expected["conv1"].image[channel].tolist() == [-1] * 9
        assert not expected["conv1"].activation[channel].any()
        assert not expected["conv1"].box[channel].any()
        assert expected["conv1"].fired[channel] == 0


def test_a_box_is_the_field_of_its_cell_and_all_of_the_image_in_fc_layers(expected):
    conv1 = expected["conv1"]
    found = conv1.image >= 0
    assert (conv1.box[found][:, :2] == conv1.cell[found] * 2).all()
    assert (conv1.box[found][:, 2:] == conv1.cell[found] * 2 + 7).all()
    assert (expected["fc8"].box == [0, 0, 64, 64]).all()
    assert not expected["fc8"].cell.any()


def test_fewer_images_than_nine_leave_entries_missing_and_that_is_said(tmp_path, caplog):
    found = scanned(make_world(tmp_path / "world", 3), tmp_path, layers=("fc8",))["fc8"]
    assert sorted(found.image[0].tolist()) == [-1] * 6 + [0, 1, 2]
    assert "Only 3 validation images: fewer than scan.top, 9" in caplog.text


def test_nan_is_counted_and_never_ranked(tmp_path, caplog, monkeypatch):
    # As weights that overflow would: NaN in the file itself is refused.
    monkeypatch.setattr("pipeline.network.model.check_values", lambda *_: None)
    world = make_world(tmp_path / "world", 12)
    weights = load_file(world.model / "weights.safetensors")
    weights["conv2.bias"][1] = torch.nan
    save_model(world.model, load_card(world.model), weights)
    with caplog.at_level(logging.WARNING):
        found = scanned(world, tmp_path, layers=("conv1", "conv2"))["conv2"]
    assert found.image[1].tolist() == [-1] * 9
    assert found.histogram[1].sum() == 0
    assert (found.image[0] >= 0).all()
    assert "conv2: 12 peaks in 1 channels are NaN or infinite" in caplog.text


def test_nan_goes_no_further_than_in_the_network_itself(tmp_path, monkeypatch):
    """The norm adds channel 5 of conv1 to 3 and 4: to conv2's second group, not to its first."""
    # As weights that overflow would: NaN in the file itself is refused.
    monkeypatch.setattr("pipeline.network.model.check_values", lambda *_: None)
    world = make_world(tmp_path / "world", 6, arch="alexnet", width=1 / 16)
    weights = load_file(world.model / "weights.safetensors")
    weights["conv1.bias"][5] = torch.nan
    save_model(world.model, load_card(world.model), weights)
    found = scanned(world, tmp_path, layers=("conv2",))["conv2"]
    peaks, _ = every_peak(world, "conv2")
    assert np.isnan(peaks[:, 8:]).all()
    assert found.image[:8, 0].tolist() == peaks[:, :8].argmax(axis=0).tolist()
    assert (found.image[8:] == -1).all()


def test_shuffled_chunks_give_the_same_bits(world, expected, tmp_path):
    for seed in range(3):
        found = scanned(world, tmp_path / str(seed), HerePool(seed))
        assert bits(found) == bits(expected)


def test_threads_of_this_process_give_the_same_bits(world, expected, tmp_path):
    with workers(None, 0, CPU, cores=2) as pool:
        assert bits(scanned(world, tmp_path, pool)) == bits(expected)


def test_a_finished_chunk_that_comes_again_is_not_counted_twice(world, tmp_path):
    scan = planned(world)
    checkpoint = scan._open(tmp_path / "checkpoint")
    chunk, task = next(scan._tasks(checkpoint, lambda _: None))
    layers = scan_chunk(task, CPU)
    checkpoint.merge(chunk.number, layers)
    checkpoint.merge(chunk.number, layers)
    counts = checkpoint.layers["conv1"].by_name["histogram"].counts
    assert counts[0].sum() == len(chunk.rows)


def test_a_layer_that_the_network_lacks_is_refused(world):
    with pytest.raises(AtlasError, match="conv9"):
        card = load_card(world.model)
        params = ScanParams.model_construct(layers=("conv9",), top=9, batch_size=4, tf32=False)
        plan_scan(params, card, world.model, world.images, FolderStore(world.root))


def test_no_images_are_refused(world):
    with pytest.raises(AtlasError, match="no validation images"):
        planned(dataclasses.replace(world, images=()))


def test_other_weights_than_at_the_start_are_refused(world, tmp_path):
    scan = planned(world)
    config = dataclasses.replace(scan.config, model_sha256="0" * 64)
    with pytest.raises(AtlasError, match="holds another model"):
        dataclasses.replace(scan, config=config).run(HerePool(), tmp_path / "checkpoint")


def test_a_batch_that_a_gpu_has_no_memory_for_passes_in_halves(tmp_path, monkeypatch, caplog):
    world = make_world(tmp_path, 11)
    expected = scanned(world, tmp_path / "whole")
    enter = Forward._enter

    def out_of_memory(self: Forward, squares: list[np.ndarray]) -> torch.Tensor:
        if len(squares) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return enter(self, squares)

    monkeypatch.setattr(Forward, "_enter", out_of_memory)
    copied = World(world.root, shutil.copytree(world.model, tmp_path / "copy"), world.images)
    found = scanned(copied, tmp_path / "halves")  # of another folder: nothing is kept in memory
    assert "1 at a time from here on" in caplog.text
    for layer, record in found.items():
        np.testing.assert_array_equal(record.image, expected[layer].image)
        np.testing.assert_allclose(record.activation, expected[layer].activation, rtol=1e-5)
