from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from pipeline.training.data import epoch_batches
from pipeline.training.init import init_network
from tests.pipeline.training.tiny import (
    CONFIG,
    make_workspace,
    task,
    trained,
    weights,
    write_params,
)


@pytest.mark.parametrize(("side", "kept"), [(1, 1), (64, 64), (80, 1)])
def test_the_mean_that_a_start_was_trained_with_is_kept(tmp_path, side, kept):
    make_workspace(tmp_path, epochs=0, init_from="start.safetensors")
    first = init_network(task(tmp_path).graph(), "he", torch.Generator()).state_dict()
    colours = torch.tensor([10.0, 20.0, 30.0]).reshape(3, 1, 1)
    save_file(first | {"input_mean": colours.repeat(1, side, side)}, tmp_path / "start.safetensors")
    result = trained(tmp_path)
    assert torch.equal(result.mean, colours.repeat(1, kept, kept))
    assert torch.equal(result.network.conv1.weight, first["conv1.weight"])


def test_torchvisions_mean_comes_with_its_weights(tmp_path):
    make_workspace(tmp_path, epochs=0, init_from="start.pth")
    start = {"features.0.weight": torch.ones(5, 3, 7, 7), "features.0.bias": torch.ones(5)}
    torch.save(start, tmp_path / "start.pth")
    expected = 255 * torch.tensor([0.485, 0.456, 0.406])
    torch.testing.assert_close(trained(tmp_path).mean.flatten(), expected)


def test_every_image_is_in_one_batch_of_an_epoch_and_the_last_may_be_smaller():
    batches = epoch_batches(21, 8, torch.Generator().manual_seed(0))
    assert [len(batch) for batch in batches] == [8, 8, 5]
    assert sorted(np.concatenate(batches)) == list(range(21))


def test_decoded_pixels_outlast_an_edit_of_the_recipe(tmp_path):
    make_workspace(tmp_path, epochs=1)
    (tmp_path / "pixels").mkdir()
    config = replace(CONFIG, cache=True, pixels=tmp_path / "pixels")
    first = trained(tmp_path, config, state="first")
    for path in (tmp_path / "images").rglob("*.png"):
        path.unlink()
    write_params(tmp_path, epochs=1, learning_rate=0.02)
    assert not torch.equal(weights(first), weights(trained(tmp_path, config, state="second")))
