import pytest
import torch
from safetensors.torch import save_file

from pipeline.training.init import init_network
from tests.pipeline.training.test_train import task, trained
from tests.pipeline.training.tiny import make_workspace


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
