import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torchvision.transforms.v2 import functional as tv

from pipeline.adopt.external_weights import (
    load_strict,
    read_external_weights,
    read_tensors,
    unwrapped,
)
from pipeline.errors import AtlasError
from pipeline.network.architectures import Variant, build_chain
from pipeline.network.module import Network, empty_network
from tests.pipeline.adopt.alexnet import FEATURES, save, their_input, torchvisions
from tests.workspaces import waves

CHAIN = build_chain("zfnet", 3, 64, Variant(width=0.0625))


def photographs(count: int) -> torch.Tensor:
    """Pixels 0…255 (image, 3, 223, 223)."""
    drawn = [waves(np.random.default_rng(number), number) for number in range(count)]
    return tv.resize(torch.from_numpy(np.stack(drawn)).permute(0, 3, 1, 2), [223, 223])


@pytest.mark.parametrize("suffix", ["safetensors", "pth", "pt"])
def test_torchvisions_alexnet_gives_torchvisions_scores(tmp_path, suffix):
    theirs, path, pixels = torchvisions(), tmp_path / f"w.{suffix}", photographs(4)
    save(theirs.state_dict(), path)
    foreign = read_external_weights(path)
    graph = build_chain("alexnet-torchvision", 3, 223, Variant(fc_features=FEATURES))
    ours = load_strict(empty_network(graph), foreign.at_scale(0.02), path).eval()
    with torch.inference_mode():
        expected = theirs(their_input(pixels))
        scores = ours((pixels.float() - foreign.mean.float()) * 0.02)
    assert (scores - expected).norm() < 1e-5 * expected.norm()


@pytest.mark.parametrize(
    ("found", "named"),
    [
        ("module.features.0.weight", "conv1.weight"),
        ("features.module.0.weight", "conv1.weight"),
        ("_orig_mod.module.conv1.weight", "conv1.weight"),
        ("model.conv1.weight", "conv1.weight"),
        ("model._orig_mod.classifier.4.bias", "fc7.bias"),
        ("_fsdp_wrapped_module.conv1._checkpoint_wrapped_module.weight", "conv1.weight"),
        ("module.strange.weight", "module.strange.weight"),
    ],
)
def test_names_lose_what_wrapped_the_network_where_it_is_then_known(tmp_path, found, named):
    path = tmp_path / "w.ckpt"
    torch.save({"epoch": 3, "state_dict": {found: torch.ones(2)}}, path)
    assert read_external_weights(path).tensors.keys() == {named}


@pytest.mark.filterwarnings("ignore")
def test_averaged_weights_are_those_of_the_network(tmp_path):
    network = torch.nn.Sequential()
    network.conv1 = torch.nn.Conv2d(3, 2, 3)
    averaged = torch.optim.swa_utils.AveragedModel(network)
    assert "n_averaged" in averaged.state_dict()
    torch.save(averaged.state_dict(), tmp_path / "w.pth")
    expected = {"conv1.weight", "conv1.bias"}
    assert read_external_weights(tmp_path / "w.pth").tensors.keys() == expected
    count = {"conv1.bias": torch.zeros(2), "n_averaged": torch.zeros(())}
    assert unwrapped(count, {"conv1.bias"}, tmp_path).keys() == count.keys()


def test_a_mean_beside_wrapped_tensors_stays_the_mean(tmp_path):
    path = tmp_path / "w.safetensors"
    save_file({"_orig_mod.fc8.bias": torch.zeros(2), "input_mean": torch.ones(3, 1, 1)}, path)
    weights = read_external_weights(path)
    assert weights.tensors.keys() == {"fc8.bias"}
    assert torch.equal(weights.mean, torch.ones(3, 1, 1))


@pytest.mark.parametrize("other", ["module.conv1.weight", "_orig_mod.features.0.weight"])
def test_two_tensors_of_one_name_are_an_error(tmp_path, other):
    path = tmp_path / "w.safetensors"
    save_file({"_orig_mod.conv1.weight": torch.zeros(2), other: torch.ones(2)}, path)
    with pytest.raises(AtlasError, match=r"holds conv1\.weight twice"):
        read_external_weights(path)


def test_names_that_a_network_knows_are_not_taken_apart():
    tensors = {"model.module.conv.weight": torch.zeros(1)}
    known = {"model.module.conv.weight"}
    assert unwrapped(tensors, known, Path("w.pth")) == tensors
    assert unwrapped(tensors, {"model.conv.weight"}, Path("w.pth")).keys() == {"model.conv.weight"}


def test_the_one_prefix_under_which_a_whole_network_is_goes():
    known = {"conv.weight", "fc.bias", "norm.num_batches_tracked"}
    net = {"net.conv.weight": torch.zeros(1), "net._orig_mod.fc.bias": torch.ones(1)}
    loss = {"loss.weight": torch.zeros(1)}
    found = unwrapped(net | loss, known, Path("w.ckpt"))
    assert found.keys() == {"conv.weight", "fc.bias", "loss.weight"}
    assert torch.equal(found["fc.bias"], torch.ones(1))
    deep = {f"a.b.{name}": tensor for name, tensor in net.items()}
    assert unwrapped(deep, known, Path("w.ckpt")).keys() == {"conv.weight", "fc.bias"}


def test_a_prefix_of_a_part_and_one_of_two_stay():
    known = {"conv.weight", "fc.bias"}
    half = {"net.conv.weight": torch.zeros(1), "head.fc.bias": torch.zeros(1)}
    assert unwrapped(half, known, Path("w.ckpt")) == half
    twice = {f"{prefix}.{name}": torch.zeros(1) for prefix in ("net", "ema") for name in known}
    assert unwrapped(twice, known, Path("w.ckpt")) == twice
    assert unwrapped(half, set(), Path("w.ckpt")) == half


@pytest.mark.parametrize("suffix", ["SAFETENSORS", "SafeTensors", "PTH", "Pt"])
def test_a_suffix_in_capitals_is_the_same_format(tmp_path, suffix):
    path = tmp_path / f"w.{suffix}"
    (save_file if suffix.lower() == "safetensors" else torch.save)({"w": torch.ones(2)}, path)
    assert torch.equal(read_tensors(path)["w"], torch.ones(2))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), True, 3])
def test_values_that_are_no_weights_are_named(tmp_path, value):
    path, network = tmp_path / "w.safetensors", Network(CHAIN)
    fc8 = torch.full_like(network.fc8.bias, value, dtype=torch.tensor(value).dtype)
    save_file(network.state_dict() | {"fc8.bias": fc8}, path)
    with pytest.raises(AtlasError, match=r"fc8\.bias is (of|NaN)"):
        load_strict(empty_network(CHAIN), read_external_weights(path).at_scale(1.0), path)


def test_a_mean_that_is_not_finite_is_named(tmp_path):
    path = tmp_path / "w.safetensors"
    save_file({"input_mean": torch.full((3, 1, 1), float("nan"))}, path)
    with pytest.raises(AtlasError, match="input_mean is NaN or infinite in 3 of 3"):
        read_external_weights(path)


def test_tensors_under_our_names_stay_as_they_are_at_every_scale(tmp_path):
    network, path = Network(CHAIN), tmp_path / "w.safetensors"
    save_file(network.state_dict(), path)
    got = load_strict(
        empty_network(CHAIN), read_external_weights(path).at_scale(0.02), path
    ).state_dict()
    assert all(torch.equal(got[name], tensor) for name, tensor in network.state_dict().items())


def test_what_does_not_fit_is_named_tensor_by_tensor(tmp_path):
    path = tmp_path / "alexnet.pth"
    torch.save(torchvisions().state_dict(), path)
    graph = build_chain("alexnet", 3, 224, Variant(fc_features=FEATURES))
    with pytest.raises(AtlasError) as caught:
        load_strict(empty_network(graph), read_external_weights(path).at_scale(1.0), path)
    assert "conv1.weight is (64, 3, 11, 11), not (96, 3, 11, 11)" in str(caught.value)
    assert "fc7.weight" not in str(caught.value)


@pytest.mark.parametrize("shape", [(3, 1, 1), (3, 5, 5)])
def test_a_files_own_mean_is_kept_apart_from_its_tensors(tmp_path, shape):
    path, mean = tmp_path / "w.safetensors", torch.rand(shape)
    save_file({"fc8.bias": torch.zeros(2), "input_mean": mean}, path)
    foreign = read_external_weights(path)
    assert torch.equal(foreign.mean, mean)
    assert foreign.tensors.keys() == {"fc8.bias"}


@pytest.mark.parametrize("shape", [(), (3,), (3, 4, 5), (1, 3, 5, 5)])
def test_a_mean_of_another_shape_is_an_error(tmp_path, shape):
    path = tmp_path / "w.safetensors"
    save_file({"input_mean": torch.zeros(shape)}, path)
    with pytest.raises(AtlasError, match="input_mean is"):
        read_external_weights(path)


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
    with pytest.raises(AtlasError, match=r"w\.pth cannot be read as plain tensors: it calls for"):
        read_external_weights(path)
    assert not made.exists()


@pytest.mark.parametrize(
    "content", [b"", b"no weights", pickle.dumps([1, 2], protocol=2), b"\x80\x02h\x03."]
)
@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
def test_a_file_that_holds_no_tensors_is_an_error(tmp_path, suffix, content):
    path = tmp_path / f"w.{suffix}"
    path.write_bytes(content)
    with pytest.raises(AtlasError, match=path.name):
        read_external_weights(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"layers": [1, 2], "w": torch.zeros(1)}, "layers is not a tensor but a list"),
        ({0: torch.zeros(1)}, "0 is not a name"),
        ([torch.zeros(1)], "holds a list, not a state_dict"),
        (torch.zeros(1), "holds a Tensor, not a state_dict"),
    ],
)
def test_anything_but_tensors_by_name_is_an_error_that_says_what_it_is(tmp_path, content, said):
    torch.save(content, tmp_path / "w.pt")
    with pytest.raises(AtlasError, match=said):
        read_external_weights(tmp_path / "w.pt")


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(AtlasError, match="There is no file"):
        read_external_weights(tmp_path / "w.safetensors")
