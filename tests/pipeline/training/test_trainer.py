"""The steps of a training: kills, ends asked for, divergence, records of epochs."""

from typing import Any

import pytest
import torch

from pipeline.errors import AtlasError
from pipeline.training.optimizer import Schedule
from pipeline.training.task import ExecutionConfig
from tests.pipeline.training.tiny import (
    make_workspace,
    snapshot_of,
    trained,
    weights,
    write_params,
)


class KilledError(Exception):
    """Stands for a kill."""


@pytest.mark.parametrize("killed_at", [1, 3, 4, 5])
@pytest.mark.parametrize("schedule", ["cosine", "plateau"])
def test_a_run_broken_off_anywhere_and_repeated_ends_in_the_same_bits(
    tmp_path, schedule, killed_at
):
    make_workspace(tmp_path, schedule=schedule)
    config = ExecutionConfig(torch.device("cpu"), 1, checkpoint_s=0.0)
    whole = trained(tmp_path, config, state="whole")
    steps = 0

    def kill(position: object) -> None:
        nonlocal steps
        steps += 1
        if steps == killed_at:
            raise KilledError

    with pytest.raises(KilledError):
        trained(tmp_path, config, state="broken", watch=kill)
    left = []
    resumed = trained(tmp_path, config, state="broken", watch=left.append)
    assert len(left) == 6 - killed_at + 1
    assert torch.equal(weights(whole), weights(resumed))
    assert whole.history == resumed.history
    for a, b in zip(whole.filters, resumed.filters, strict=True):
        assert torch.equal(a, b)
    snapshots = [snapshot_of(tmp_path / state, 1) for state in ("whole", "broken")]
    assert all(torch.equal(snapshots[0][name], snapshots[1][name]) for name in snapshots[0])


def test_a_training_asked_to_finish_ends_there_and_keeps_what_it_has_learnt(tmp_path):
    make_workspace(tmp_path, epochs=50)
    seen = []
    result = trained(tmp_path, watch=seen.append, finish=lambda: len(seen) >= 4)
    assert result.stopped_early
    assert (result.epochs, len(result.history), len(seen)) == (1, 1, 4)


def blow_up(monkeypatch: pytest.MonkeyPatch, update: int) -> None:
    """Let the rate of one update wreck the weights, counted from 1; that of the others is 0.01."""

    class BlowsUp(Schedule):
        def __init__(self, optimizer: torch.optim.Optimizer, *rest: Any) -> None:
            super().__init__(optimizer, *rest)
            self.optimizer, self.updates = optimizer, 0
            self.set_rate()

        def step(self) -> None:
            super().step()
            self.updates += 1
            self.set_rate()

        def set_rate(self) -> None:
            for group in self.optimizer.param_groups:
                group["lr"] = 1e6 if self.updates + 1 == update else 0.01

    monkeypatch.setattr("pipeline.training.trainer.Schedule", BlowsUp)


@pytest.mark.parametrize(
    ("update", "reason"),
    [
        (1, "the loss is .* in epoch 1, step 2"),
        (3, "the validation loss is .* in epoch 1, step 3"),
        (4, "the loss is .* in epoch 2, step 2"),
        (6, "the validation loss is .* in epoch 2, step 3"),
    ],
)
def test_weights_that_diverge_are_never_kept_and_those_before_them_are(
    tmp_path, monkeypatch, update, reason
):
    make_workspace(tmp_path, filter_rms_cap=None)
    config = ExecutionConfig(torch.device("cpu"), 1, checkpoint_s=0.0)
    blow_up(monkeypatch, update=100)
    seen = []
    good = trained(
        tmp_path, config, "good", watch=seen.append, finish=lambda: len(seen) == update - 1
    )
    blow_up(monkeypatch, update)
    with pytest.raises(AtlasError, match=f"diverged: {reason}.*--finish"):
        trained(tmp_path, config, "wrecked")
    kept = trained(tmp_path, config, "wrecked", finish=lambda: True)
    assert torch.equal(weights(kept), weights(good))
    assert kept.history == good.history


@pytest.mark.parametrize("update", [3, 6])
def test_without_validation_images_the_weights_are_tried_on_others(tmp_path, monkeypatch, update):
    make_workspace(tmp_path, val_each=0, filter_rms_cap=None)
    blow_up(monkeypatch, update)
    with pytest.raises(
        AtlasError, match=f"diverged: the loss is .* in epoch {update // 3}, step 3"
    ):
        trained(tmp_path)


def test_no_conv_filter_leaves_a_step_louder_than_the_cap(tmp_path):
    make_workspace(tmp_path, filter_rms_cap=0.01)
    result = trained(tmp_path)
    for layer in result.network.graph.conv_layers:
        filters = result.network.get_parameter(f"{layer}.weight").detach()
        assert filters.square().mean(dim=(1, 2, 3)).sqrt().max() <= 0.01 * 1.0001


def test_the_start_decays_only_after_the_epochs_said(tmp_path):
    make_workspace(tmp_path, snapshots=[1, 2], start_decay=0.0)
    trained(tmp_path, state="a")
    without = [snapshot_of(tmp_path / "a", epoch) for epoch in (1, 2)]
    write_params(tmp_path, snapshots=[1, 2], start_decay=5.0, start_decay_after=1)
    trained(tmp_path, state="b")
    after_one, after_two = (snapshot_of(tmp_path / "b", epoch) for epoch in (1, 2))
    assert torch.equal(after_one["conv2.weight"], without[0]["conv2.weight"])
    assert not torch.equal(after_two["conv2.weight"], without[1]["conv2.weight"])


def test_half_precision_stays_close_to_full_precision(tmp_path):
    make_workspace(tmp_path, epochs=1, dropout=0.0)
    full = trained(tmp_path, state="full")
    make_workspace(tmp_path, epochs=1, dropout=0.0, precision="bfloat16")
    half = trained(tmp_path, state="half")
    assert half.history[0].train_loss == pytest.approx(full.history[0].train_loss, rel=0.05)
    assert half.network.conv1.weight.dtype == torch.float32


def test_a_device_without_bfloat16_products_trains_in_float32_and_says_so(
    tmp_path, monkeypatch, caplog
):
    monkeypatch.setattr("pipeline.training.losses.supports_bfloat16", lambda device: False)
    make_workspace(tmp_path, epochs=1)
    full = trained(tmp_path, state="full")
    make_workspace(tmp_path, epochs=1, precision="bfloat16")
    fallen_back = trained(tmp_path, state="fallen_back")
    assert torch.equal(weights(full), weights(fallen_back))
    assert "training in float32" in caplog.text


@pytest.mark.parametrize("augment", ["none", "strong"])
def test_other_views_train_too(tmp_path, augment):
    make_workspace(tmp_path, epochs=1, augment=augment)
    assert trained(tmp_path).epochs == 1


def test_each_epoch_says_how_much_of_the_filters_is_still_the_start(tmp_path):
    make_workspace(tmp_path, epochs=1)
    result = trained(tmp_path)
    start = snapshot_of(tmp_path / "state", 0)
    (record,) = result.history
    for layer in result.network.graph.conv_layers:
        now = result.network.get_parameter(f"{layer}.weight").detach().flatten(1)
        cosines = torch.cosine_similarity(now, start[f"{layer}.weight"].flatten(1)).abs()
        assert record.start_cosine[layer] == pytest.approx(cosines.median().item(), abs=1e-6)


def test_without_validation_images_their_columns_stay_empty(tmp_path):
    make_workspace(tmp_path, val_each=0, epochs=1)
    (record,) = trained(tmp_path).history
    assert (record.val_loss, record.val_top1_error, record.dead) == (None, None, {})
    make_workspace(tmp_path, val_each=0, epochs=1, schedule="plateau")
    with pytest.raises(AtlasError, match="plateau follows the validation error"):
        trained(tmp_path)
