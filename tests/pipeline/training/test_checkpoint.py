import numpy as np
import pytest
import torch
from safetensors.torch import load

from pipeline.network.architectures import Variant, build_chain
from pipeline.network.module import Network
from pipeline.params import TrainParams
from pipeline.storage.history import EpochRecord
from pipeline.training.checkpoint import (
    FILE,
    Interval,
    Position,
    load_checkpoint,
    read_snapshot,
    save_checkpoint,
    save_snapshot,
    snapshots_of_state,
)
from pipeline.training.optimizer import Schedule, make_optimizer
from tests.pipeline.training.tiny import write_params

MEAN = torch.tensor([1.0, 2.0, 3.0]).reshape(3, 1, 1)
RECORD = EpochRecord(
    1, 0.01, 2.0, 0.5, None, None, {"conv1": 2}, (0.1, 0.2, 0.3), (0.7, 0.8), {"conv1": 0.9}, {}
)


@pytest.fixture
def train(tmp_path) -> TrainParams:
    return write_params(tmp_path).train


def parts(train, value):
    """A network whose weights are one value, its optimizer after a step, and its schedule."""
    network = Network(build_chain("zfnet", 2, 64, Variant(width=0.05, fc_features=8)))
    optimizer = make_optimizer(network, train)
    for weight in network.parameters():
        weight.data.fill_(value)
        weight.grad = torch.full_like(weight, value)
    schedule = Schedule(optimizer, train, 4)
    optimizer.step()
    schedule.step()
    return network, optimizer, schedule


def test_all_of_a_training_comes_back(tmp_path, train):
    network, optimizer, schedule = parts(train, 1.0)
    position = Position(1, 3, 4.5, 6, 7, [RECORD], [torch.ones(2, 3, 4, 4)])
    position.excited["conv1"] = torch.tensor([1, 2])
    save_checkpoint(tmp_path, network, optimizer, schedule, position)
    others = parts(train, 2.0)
    found = load_checkpoint(tmp_path, *others)
    assert (found.epoch, found.step, found.loss_sum, found.wrong, found.seen) == (1, 3, 4.5, 6, 7)
    assert found.history == [RECORD]
    assert torch.equal(found.filters[0], torch.ones(2, 3, 4, 4))
    assert found.excited["conv1"].tolist() == [1, 2]
    for name, weight in others[0].state_dict().items():
        assert torch.equal(weight, network.state_dict()[name])
    momenta = [state["momentum_buffer"] for state in others[1].state.values()]
    assert all(torch.equal(m, torch.ones_like(m) * m.flatten()[0]) for m in momenta)
    assert {round(float(m.flatten()[0]), 2) for m in momenta} <= {1.0, 1.01}
    rates = [group["lr"] for group in others[1].param_groups]
    assert rates == [group["lr"] for group in optimizer.param_groups]


def test_without_a_checkpoint_or_with_a_damaged_one_all_stays_at_the_start(tmp_path, train):
    network, optimizer, schedule = parts(train, 1.0)
    kept = network.conv1.weight.detach().clone()
    assert load_checkpoint(tmp_path, network, optimizer, schedule) == Position()
    save_checkpoint(tmp_path, *parts(train, 2.0), Position(epoch=1))
    damaged = bytearray((tmp_path / FILE).read_bytes())
    damaged[-1] ^= 1
    (tmp_path / FILE).write_bytes(damaged)
    assert load_checkpoint(tmp_path, network, optimizer, schedule) == Position()
    assert torch.equal(network.conv1.weight, kept)


def test_a_checkpoint_past_a_lost_snapshot_is_not_used(tmp_path, train, caplog):
    network, optimizer, schedule = parts(train, 1.0)
    save_checkpoint(tmp_path, network, optimizer, schedule, Position(epoch=2))
    assert load_checkpoint(tmp_path, network, optimizer, schedule, [3]).epoch == 2
    assert load_checkpoint(tmp_path, network, optimizer, schedule, [1]) == Position()
    assert "The snapshot of epoch 1 is lost" in caplog.text
    save_snapshot(tmp_path, 1, network, MEAN)
    assert load_checkpoint(tmp_path, network, optimizer, schedule, [1]).epoch == 2


def test_a_snapshot_is_a_weights_file_with_its_mean(tmp_path, train):
    network, *_ = parts(train, 1.0)
    for epoch in (0, 12):
        save_snapshot(tmp_path, epoch, network, MEAN)
    assert snapshots_of_state(tmp_path) == [0, 12]
    assert read_snapshot(tmp_path, 1) is None
    content = load(read_snapshot(tmp_path, 12) or b"")
    assert torch.equal(content.pop("input_mean"), MEAN)
    assert content.keys() == network.state_dict().keys()
    np.testing.assert_array_equal(content["conv1.weight"], network.conv1.weight.detach())


def test_a_checkpoint_is_due_once_its_time_has_passed(monkeypatch):
    now = 100.0
    monkeypatch.setattr("pipeline.training.checkpoint.time.monotonic", lambda: now)
    interval = Interval(30.0, 100.0)
    assert not interval.due()
    now = 129.9
    assert not interval.due()
    now = 130.0
    assert interval.due()
    assert not interval.due()
    now = 160.0
    assert interval.due()
