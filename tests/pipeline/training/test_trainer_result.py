import pytest
import torch
from safetensors.torch import save_file

from pipeline.errors import AtlasError
from pipeline.network.filters import low_frequency_share
from pipeline.training.checkpoint import read_snapshot
from pipeline.training.task import ExecutionConfig
from tests.pipeline.training.tiny import (
    make_workspace,
    snapshot_of,
    trained,
    weights,
    write_params,
)


def test_a_training_is_repeated_to_the_bit(tmp_path):
    make_workspace(tmp_path)
    first, second = trained(tmp_path, state="a"), trained(tmp_path, state="b")
    assert torch.equal(weights(first), weights(second))
    assert first.history == second.history


def test_another_seed_gives_other_weights(tmp_path):
    make_workspace(tmp_path, epochs=1)
    first = trained(tmp_path)
    text = (tmp_path / "params.yaml").read_text()
    (tmp_path / "params.yaml").write_text(text.replace("seed: 0", "seed: 1"))
    assert not torch.equal(weights(first), weights(trained(tmp_path, state="other")))


@pytest.mark.parametrize("cache", [True, False])
@pytest.mark.parametrize("threads", [1, 3])
def test_neither_the_cache_nor_threads_change_a_bit(tmp_path, cache, threads):
    make_workspace(tmp_path, epochs=1)
    plain = trained(tmp_path, ExecutionConfig(torch.device("cpu"), 1, cache=False), state="plain")
    other = trained(
        tmp_path, ExecutionConfig(torch.device("cpu"), threads, cache=cache), state="other"
    )
    assert torch.equal(weights(plain), weights(other))


def test_frozen_layers_keep_the_weights_they_started_from(tmp_path):
    make_workspace(tmp_path, epochs=1)
    first = trained(tmp_path, state="first")
    (tmp_path / "start.safetensors").write_bytes(read_snapshot(tmp_path / "first", 1) or b"")
    make_workspace(tmp_path, init_from="start.safetensors", freeze=["conv1", "fc6"])
    second = trained(tmp_path, state="second")
    for layer in ("conv1", "fc6"):
        name = f"{layer}.weight"
        assert torch.equal(first.network.get_parameter(name), second.network.get_parameter(name))
    assert not torch.equal(first.network.conv2.weight, second.network.conv2.weight)


def test_it_learns(tmp_path):
    make_workspace(tmp_path, epochs=12, learning_rate=0.02, dropout=0.0)
    history = trained(tmp_path).history
    assert history[-1].train_loss < history[0].train_loss
    assert history[-1].val_top1_error < 0.5
    assert all(record.dead["conv1"] <= 5 for record in history)


@pytest.mark.parametrize("init", ["he", "patches"])
def test_no_epoch_keeps_the_start_which_is_snapshot_0(tmp_path, init):
    make_workspace(tmp_path, epochs=0, init=init)
    result = trained(tmp_path)
    assert result.history == ()
    snapshot = snapshot_of(tmp_path / "state", 0)
    for name, tensor in result.network.state_dict().items():
        assert torch.equal(snapshot[name], tensor), name


def test_the_first_layer_alone_is_drawn_from_the_images_patches(tmp_path):
    make_workspace(tmp_path, epochs=0, init="he")
    plain = trained(tmp_path, state="plain").network
    write_params(tmp_path, epochs=0, init="patches")
    drawn = trained(tmp_path, state="drawn").network
    assert torch.equal(plain.conv2.weight, drawn.conv2.weight)
    coarse = low_frequency_share(drawn.conv1.weight.detach()).median()
    assert coarse > 3 * low_frequency_share(plain.conv1.weight.detach()).median()


def test_a_first_layer_taken_from_a_file_is_not_drawn_again(tmp_path):
    make_workspace(tmp_path, epochs=0)
    first = trained(tmp_path, state="first")
    (tmp_path / "start.safetensors").write_bytes(read_snapshot(tmp_path / "first", 0) or b"")
    write_params(tmp_path, epochs=0, init="patches", init_from="start.safetensors")
    second = trained(tmp_path, state="second")
    assert torch.equal(first.network.conv1.weight, second.network.conv1.weight)


def test_what_does_not_fit_is_told_before_an_image_is_decoded(tmp_path):
    make_workspace(tmp_path, init_from="start.safetensors")
    save_file({"conv1.weight": torch.zeros(1)}, tmp_path / "start.safetensors")
    decoded = []
    with pytest.raises(AtlasError, match="fits no layer"):
        trained(tmp_path, decoding=decoded.append)
    assert not decoded
