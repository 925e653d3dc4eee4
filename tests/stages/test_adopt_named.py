"""The advertised commands: networks of packages with weights by name or from a file."""

from pathlib import Path

import pytest
import timm
import torch
import torchvision
from click.testing import CliRunner
from pytorchcv.model_provider import get_model
from safetensors.torch import save_file

from pipeline.params import AdoptedParams, load_params
from stages.cli import main

pytestmark = pytest.mark.slow

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def adopted(folder: Path, *words: str) -> AdoptedParams:
    """The network's parameters, once `atlas adopt` has written them."""
    result = CliRunner().invoke(main, ["adopt", "-w", str(folder), *words])
    assert result.exit_code == 0, result.output
    model = load_params(folder / "params.yaml").model
    assert isinstance(model, AdoptedParams)
    return model


def framing(folder: Path) -> tuple[int, int]:
    data = load_params(folder / "params.yaml").data
    return data.resize, data.crop


def first_classes(folder: Path) -> list[str]:
    lines = (folder / "nets" / "classes.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if not line.startswith("#")][:2]


def test_torchvision_s_weights_by_name_from_its_own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    weights = torchvision.models.SqueezeNet1_1_Weights.IMAGENET1K_V1
    file = tmp_path / "home" / "hub" / "checkpoints" / Path(weights.url).name
    file.parent.mkdir(parents=True)
    torch.save(torchvision.models.squeezenet1_1().state_dict(), file)
    model = adopted(tmp_path, "torchvision:squeezenet1_1", "--weights", "IMAGENET1K_V1")
    assert framing(tmp_path) == (256, 224)
    assert (model.inputs.mean, model.inputs.std) == (MEAN, STD)
    assert first_classes(tmp_path) == ["n01440764 tench", "n01443537 goldfish"]


def test_timm_s_network_with_a_file_of_weights(tmp_path):
    file = tmp_path / "model.safetensors"
    save_file(timm.create_model("test_resnet").state_dict(), file)
    model = adopted(tmp_path, "timm:test_resnet", "--weights", str(file))
    wanted = timm.create_model("test_resnet").pretrained_cfg
    side = wanted["input_size"][1]
    assert framing(tmp_path) == (int(side / wanted["crop_pct"]), side)
    assert (model.inputs.mean, model.inputs.std) == (wanted["mean"], wanted["std"])
    assert model.inputs.interpolation == wanted["interpolation"]


def test_the_paper_s_network_as_pytorchcv_trained_it(tmp_path):
    torch.manual_seed(0)
    file = tmp_path / "zfnet-1727-d010ddca.pth"
    torch.save(get_model("zfnet").state_dict(), file)
    model = adopted(
        tmp_path, "pytorchcv.model_provider:get_model", "-a", "name=zfnet", "--weights", str(file),
        "--mean", *map(str, MEAN), "--std", *map(str, STD), "--resize", "256", "--crop", "224",
        "--classes", "imagenet",
    )  # fmt: skip
    assert framing(tmp_path) == (256, 224)
    assert (model.inputs.mean, model.inputs.std) == (MEAN, STD)
    assert first_classes(tmp_path) == ["n01440764 tench", "n01443537 goldfish"]
