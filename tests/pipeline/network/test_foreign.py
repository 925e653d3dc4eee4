import os
import pickle

import pytest
import torch
from safetensors.torch import save_file

from pipeline.errors import AtlasError
from pipeline.network.architectures import Variant, build_chain
from pipeline.network.foreign import fill, read_foreign
from pipeline.network.module import Network, empty_network

CHAIN = build_chain("zfnet", 3, 64, Variant(width=0.0625))
NAMES = {
    "conv1": "features.0",
    "conv2": "features.3",
    "conv3": "features.6",
    "conv4": "features.8",
    "conv5": "features.10",
    "fc6": "classifier.1",
    "fc7": "classifier.4",
    "fc8": "classifier.6",
}


def torchvision_names(network: Network) -> dict[str, torch.Tensor]:
    return {
        f"{NAMES[name.split('.')[0]]}.{name.split('.')[1]}": tensor
        for name, tensor in network.state_dict().items()
    }


@pytest.mark.parametrize("suffix", ["safetensors", "pth", "pt"])
def test_torchvisions_layer_names_are_understood_in_every_kind_of_file(tmp_path, suffix):
    network, path = Network(CHAIN), tmp_path / f"w.{suffix}"
    save = save_file if suffix == "safetensors" else torch.save
    save(torchvision_names(network), path)
    got = fill(empty_network(CHAIN), read_foreign(path), path).state_dict()
    assert all(torch.equal(got[name], tensor) for name, tensor in network.state_dict().items())


def test_a_checkpoint_that_holds_a_state_dict_under_that_name_and_a_prefix_is_understood(tmp_path):
    network, path = Network(CHAIN), tmp_path / "w.pth"
    named = {f"module.{name}": tensor for name, tensor in torchvision_names(network).items()}
    torch.save({"epoch": 3, "state_dict": named}, path)
    assert read_foreign(path).keys() == network.state_dict().keys()


def test_what_does_not_fit_is_named_tensor_by_tensor(tmp_path):
    from torchvision.models import alexnet

    path = tmp_path / "alexnet.pth"
    torch.save(alexnet(num_classes=3).state_dict(), path)
    chain = build_chain("alexnet", 3, 224)
    with pytest.raises(AtlasError) as caught:
        fill(empty_network(chain), read_foreign(path), path)
    assert "conv1.weight is (64, 3, 11, 11), not (96, 3, 11, 11)" in str(caught.value)
    assert "fc7.weight" not in str(caught.value)


class Bomb:
    """Makes a folder when it is unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (self.path,)


def test_nothing_in_a_file_is_executed(tmp_path):
    made = tmp_path / "made"
    path = tmp_path / "w.pth"
    torch.save({"conv1.weight": Bomb(str(made))}, path)
    with pytest.raises(AtlasError, match=r"w\.pth cannot be read as plain tensors"):
        read_foreign(path)
    assert not made.exists()


@pytest.mark.parametrize("content", [b"", b"no weights", pickle.dumps([1, 2], protocol=2)])
@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
def test_a_file_that_holds_no_tensors_is_an_error(tmp_path, suffix, content):
    path = tmp_path / f"w.{suffix}"
    path.write_bytes(content)
    with pytest.raises(AtlasError, match=path.name):
        read_foreign(path)


def test_a_whole_model_instead_of_its_tensors_is_an_error(tmp_path):
    torch.save({"layers": [1, 2], "w": torch.zeros(1)}, tmp_path / "w.pt")
    with pytest.raises(AtlasError, match="state_dict of tensors"):
        read_foreign(tmp_path / "w.pt")
