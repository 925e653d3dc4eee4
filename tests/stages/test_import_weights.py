import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file, save_file

from pipeline.network.model import load_model
from stages.cli import main
from tests.pipeline.training.tiny import make_workspace
from tests.stages.test_train import atlas


@pytest.fixture
def trained(tmp_path):
    root = make_workspace(tmp_path, epochs=0)
    atlas(root, "train")
    return root


def test_a_file_that_fits_becomes_the_model(trained, tmp_path):
    tensors = load_file(trained / "artifacts" / "model" / "weights.safetensors")
    mean = tensors.pop("input_mean")
    tensors["conv1.bias"] += 1
    save_file(tensors, tmp_path / "w.safetensors")
    atlas(trained, "import-weights", str(tmp_path / "w.safetensors"), "--scale", "0.5")
    model = load_model(trained / "artifacts" / "model")
    assert torch.equal(model.network.conv1.bias, tensors["conv1.bias"])
    assert (model.card.scale, model.card.epochs_trained) == (0.5, 0)
    save_file(tensors | {"input_mean": mean}, tmp_path / "w.safetensors")
    atlas(trained, "import-weights", str(tmp_path / "w.safetensors"))
    assert torch.equal(load_model(trained / "artifacts" / "model").mean, mean)


def test_what_does_not_fit_is_named_and_the_old_model_stays(trained, tmp_path):
    before = (trained / "artifacts" / "model" / "model.json").read_bytes()
    save_file({"conv1.weight": torch.zeros(64, 3, 11, 11)}, tmp_path / "w.safetensors")
    result = CliRunner().invoke(
        main, ["import-weights", str(tmp_path / "w.safetensors"), "-w", str(trained)]
    )
    assert result.exit_code == 1
    assert "conv1.weight is (64, 3, 11, 11), not (5, 3, 7, 7)" in result.output
    assert "fc8.bias is missing" in result.output
    assert (trained / "artifacts" / "model" / "model.json").read_bytes() == before
