"""Weights files that fit a module and that do not."""

from hashlib import sha256

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from pipeline.adopt.module_weights import load_file
from pipeline.adopt.spec import Spec
from pipeline.errors import AtlasError


def made(classes=3):
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, classes))


def spec(folder, file):
    return Spec("nets.mine:build", {}, file, folder)


def same(module, given):
    own = module.state_dict()
    return all(torch.equal(own[key], tensor) for key, tensor in given.items())


@pytest.mark.parametrize("name", ["w.pt", "w.pth", "w.safetensors"])
def test_a_weights_file_is_loaded_by_name(tmp_path, name):
    given, module = made().state_dict(), made()
    save = save_file if name.endswith("safetensors") else torch.save
    save(given, tmp_path / name)
    found = load_file(module, spec(tmp_path, name))
    assert found == sha256((tmp_path / name).read_bytes()).hexdigest()
    assert same(module, given)


def test_a_weights_file_may_be_of_the_wrapped_module_under_a_suffix_in_capitals(tmp_path):
    given, module = made().state_dict(), made()
    torch.save({"state_dict": {f"model.{key}": t for key, t in given.items()}}, tmp_path / "w.CKPT")
    load_file(module, spec(tmp_path, "w.CKPT"))
    assert same(module, given)


def test_a_count_of_batches_may_be_missing_and_a_spec_without_a_file_changes_nothing(tmp_path):
    module, given = made(), made().state_dict()
    before = {key: tensor.clone() for key, tensor in module.state_dict().items()}
    assert load_file(module, spec(tmp_path, None)) is None
    assert same(module, before)
    del given["1.num_batches_tracked"]
    torch.save(given, tmp_path / "w.pt")
    load_file(module, spec(tmp_path, "w.pt"))
    assert same(module, given)


def test_what_does_not_fit_is_named(tmp_path):
    given = made(classes=5).state_dict()
    given["more"] = given.pop("0.bias")
    torch.save(given, tmp_path / "w.pt")
    words = (
        r"w\.pt does not fit nets\.mine:build: 0\.bias is missing, not \(4,\); "
        r"2\.bias is \(5,\), not \(3,\); 2\.weight is .*; more is not part of it"
    )
    with pytest.raises(AtlasError, match=words):
        load_file(made(), spec(tmp_path, "w.pt"))


def test_a_file_of_other_names_is_one_fault(tmp_path):
    given = {f"{prefix}.{key}": t for prefix in "ab" for key, t in made().state_dict().items()}
    torch.save(given, tmp_path / "w.pt")
    words = (
        r"w\.pt does not fit nets\.mine:build: its names, such as a\.0\.weight, are none of the "
        r"module's, such as 0\.weight, nor these under one prefix\. Save"
    )
    with pytest.raises(AtlasError, match=words):
        load_file(made(), spec(tmp_path, "w.pt"))
    only = {f"net.{key}": tensor for key, tensor in made().state_dict().items()}
    torch.save({"ema": only, "step": 3}, tmp_path / "w.pt")
    module = made()
    load_file(module, spec(tmp_path, "w.pt"))
    assert same(module, {key.removeprefix("net."): tensor for key, tensor in only.items()})


def test_counts_are_not_turned_into_weights(tmp_path):
    given = made().state_dict()
    torch.save({key: tensor.to(torch.int8) for key, tensor in given.items()}, tmp_path / "w.pth")
    with pytest.raises(AtlasError, match=r"0\.bias is of torch\.int8, not torch\.float32"):
        load_file(made(), spec(tmp_path, "w.pth"))
