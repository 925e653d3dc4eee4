import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from pipeline.dataset.manifest import ImageRow, sorted_manifest
from pipeline.dataset.store import FolderStore
from pipeline.network.card import load_card
from pipeline.storage.history import EpochRecord
from pipeline.training.artifacts import (
    epoch_record,
    mean_field,
    per_pixel,
    training_report,
    write_model,
)
from pipeline.training.checkpoint import Position, save_snapshot
from pipeline.training.init import conv_weights, init_network
from pipeline.training.losses import Validation
from pipeline.training.task import TrainingResult, TrainingTask
from tests.pipeline.training.tiny import write_params

COLOURS = torch.tensor([1.0, 2.0, 3.0]).reshape(3, 1, 1)
RECORD = EpochRecord(
    2, 0.01, 2.0, 0.5, 1.5, 0.25, {"conv1": 2}, (0.1, 0.2, 0.3), (0.7, 0.8), {"conv1": 0.9}, {}
)


@pytest.fixture
def task(tmp_path) -> TrainingTask:
    rows = [ImageRow("train", f"{n}.png", "ab"[n % 2], 9, 9, "") for n in range(2)]
    return TrainingTask(write_params(tmp_path), sorted_manifest(rows), FolderStore(tmp_path), None)


def result(task, mean=COLOURS, start=None):
    network = init_network(task.graph(), "he", torch.Generator().manual_seed(0)).eval()
    filters = tuple(torch.full_like(network.conv1.weight.detach(), n) for n in (1.0, 2.0))
    return TrainingResult(network, mean, 2, False, (RECORD,), filters, start)


def test_a_mean_is_three_numbers_or_the_name_of_a_tensor():
    assert mean_field(COLOURS) == (1.0, 2.0, 3.0)
    assert not per_pixel(COLOURS)
    image = COLOURS.expand(3, 4, 4).contiguous()
    assert mean_field(image) == "input_mean"
    assert per_pixel(image)


def test_a_model_folder_holds_weights_card_snapshots_and_filters_by_epoch(tmp_path, task):
    trained, state = result(task), tmp_path / "state"
    state.mkdir()
    save_snapshot(state, 1, trained.network, COLOURS)
    card = write_model(tmp_path / "model", task, trained, state)
    assert load_card(tmp_path / "model") == card
    assert (card.classes, card.epochs_trained) == (("a", "b"), 2)
    assert (card.mean, card.scale) == ((1.0, 2.0, 3.0), 0.015625)
    weights = load_file(tmp_path / "model" / "weights.safetensors")
    assert torch.equal(weights["conv1.weight"], trained.network.conv1.weight)
    assert "input_mean" not in weights
    filters = load_file(tmp_path / "model" / "filters.safetensors")
    assert {name: float(t.mean()) for name, t in filters.items()} == {
        "epoch_001": 1.0,
        "epoch_002": 2.0,
    }
    snapshots = sorted(path.name for path in (tmp_path / "model" / "snapshots").iterdir())
    assert snapshots == ["epoch_001.safetensors"]


def test_a_mean_of_each_pixel_is_kept_beside_the_weights(tmp_path, task):
    image = COLOURS.expand(3, 64, 64).contiguous()
    card = write_model(tmp_path / "model", task, result(task, image), tmp_path)
    assert card.mean == "input_mean"
    weights = load_file(tmp_path / "model" / "weights.safetensors")
    assert torch.equal(weights["input_mean"], image)


def test_the_record_of_an_epoch_has_means_over_its_images_and_measures_of_the_filters(task):
    network = result(task).network
    filters = conv_weights(network)
    start = {layer: -2 * w.detach() for layer, w in filters.items()}
    start["conv1"][1:] = 0
    position = Position(epoch=1, step=3, loss_sum=12.0, wrong=3, seen=6)
    validation = Validation(1.5, 0.25, {"conv1": 2})
    record = epoch_record(network, start, position, 0.01, validation)
    assert (record.epoch, record.learning_rate) == (2, 0.01)
    assert (record.train_loss, record.train_top1_error) == (2.0, 0.5)
    assert (record.val_loss, record.val_top1_error, record.dead) == (1.5, 0.25, {"conv1": 2})
    rms = np.sqrt((filters["conv1"].detach().numpy() ** 2).mean(axis=(1, 2, 3)))
    assert record.conv1_rms == pytest.approx((rms.min(), np.median(rms), rms.max()))
    assert (record.start_cosine["conv1"], record.start_tenths["conv1"]) == (0, (4, *[0] * 8, 1))
    assert record.start_cosine["conv2"] == pytest.approx(1)
    assert list(record.start_tenths) == list(filters)


def test_the_report_has_the_last_epoch_and_how_far_filters_came_from_their_start(tmp_path, task):
    plain = result(task)
    start = {
        name: plain.network.get_parameter(f"{name}.weight").detach().clone()
        for name in plain.network.graph.conv_layers
    }
    start["conv1"][:2] *= -3  # |cosine| 1 all the same
    start["conv1"][2] = 0
    start["conv1"][2, 0, 0, 0] = 1
    report = training_report(result(task, start=start))
    assert (report.epochs_trained, report.last) == (2, RECORD)
    assert report.parameters == sum(p.numel() for p in plain.network.parameters())
    assert report.channels["conv1"] == 5
    cosines = report.start_cosine["conv1"]
    own = plain.network.conv1.weight.detach()[2]
    expected = abs(float(own[0, 0, 0] / own.norm()))
    assert cosines.min == pytest.approx(expected, rel=1e-4)
    assert (cosines.median, cosines.max) == pytest.approx((1.0, 1.0))
    assert sum(cosines.histogram) == 5
    assert cosines.histogram[int(10 * expected)] == 1


def test_a_network_trained_elsewhere_has_no_start(task):
    assert training_report(result(task)).start_cosine is None
