import csv

import pytest
import torch
import yaml
from click.testing import CliRunner
from safetensors.torch import load_file, save_file

from pipeline.atlas import open_atlas
from pipeline.network.model import load_model
from pipeline.storage.sealed import read_sealed
from stages.cli import main
from tests.imports import ROOT
from tests.pipeline.adopt.alexnet import FEATURES, save, their_input, torchvisions
from tests.pipeline.training.tiny import make_workspace
from tests.stages.commands import atlas
from tests.workspaces import write_params, write_photos


@pytest.fixture
def trained(tmp_path):
    root = make_workspace(tmp_path, epochs=0)
    atlas(root, "train")
    return root


@pytest.fixture
def tensors(trained):
    """The model's own, without its mean."""
    found = load_file(trained / "artifacts" / "model" / "weights.safetensors")
    del found["input_mean"]
    return found


def refused(root, *words):
    """The error of an import, which leaves the model as it was."""
    card = root / "artifacts" / "model" / "model.json"
    before = card.read_bytes()
    result = CliRunner().invoke(main, ["import-weights", *map(str, words), "-w", str(root)])
    assert result.exit_code == 1
    assert card.read_bytes() == before
    return result.stderr


@pytest.mark.parametrize("suffix", ["safetensors", "pth"])
def test_torchvisions_alexnet_is_scanned_as_torchvision_computes_it(tmp_path, suffix):
    theirs, file = torchvisions(classes=2), tmp_path / f"w.{suffix}"
    save(theirs.state_dict(), file)
    write_photos(tmp_path / "photos", {"cat": (1, 5), "dog": (1, 4)})
    model = {"arch": "alexnet-torchvision", "width": 1.0, "fc_features": FEATURES}
    scan = {"layers": ["conv5", "fc8"]}
    data = {"resize": 230, "crop": 223}
    write_params(tmp_path, {"data": data, "model": model, "scan": scan})
    atlas(tmp_path, "prepare")
    atlas(tmp_path, "import-weights", str(file))
    atlas(tmp_path, "scan")
    run = open_atlas(tmp_path / "artifacts")
    pixels = torch.stack([torch.from_numpy(run.image(row).copy()) for row in range(9)])
    inputs = their_input(pixels.permute(0, 3, 1, 2))
    with torch.inference_mode():
        peaks = {"conv5": theirs.features[:12](inputs).amax((2, 3)), "fc8": theirs(inputs)}
    for layer, expected in peaks.items():
        found = torch.from_numpy(run.scan(layer).activation)
        torch.testing.assert_close(
            found, expected.sort(dim=0, descending=True).values.T, rtol=1e-4, atol=1e-6
        )


def test_a_file_that_fits_becomes_the_model_as_it_is(trained, tensors, tmp_path):
    tensors["conv1.bias"] += 1
    save_file(tensors, tmp_path / "w.safetensors")
    options = ("--mean", "1", "2.5", "3", "--scale", "0.5")
    atlas(trained, "import-weights", str(tmp_path / "w.safetensors"), *options)
    model = load_model(trained / "artifacts" / "model")
    assert all(torch.equal(t, tensors[name]) for name, t in model.network.state_dict().items())
    assert (model.card.mean, model.card.scale) == ((1.0, 2.5, 3.0), 0.5)
    assert model.card.epochs_trained == 0


@pytest.mark.parametrize("side", [1, 64])
def test_the_files_own_mean_is_kept_by_colour_or_by_pixel(trained, tensors, tmp_path, side):
    mean = torch.rand(3, side, side)
    save_file(tensors | {"input_mean": mean}, tmp_path / "w.safetensors")
    atlas(trained, "import-weights", str(tmp_path / "w.safetensors"), "--scale", "0.5")
    model = load_model(trained / "artifacts" / "model")
    assert torch.equal(model.normalisation.mean, mean)
    assert (model.card.mean == "input_mean") is (side > 1)


@pytest.mark.parametrize(
    ("mean", "options", "said"),
    [
        (None, ["--scale", "1"], "does not say what was subtracted from the pixels. Add --mean"),
        (None, ["--mean", "1", "1", "1"], "was multiplied by. Add --scale"),
        (torch.zeros(3, 1, 1), [], "was multiplied by. Add --scale"),
        (torch.zeros(3, 5, 5), ["--scale", "1"], "is (3, 5, 5), not (3, 64, 64). Set data.crop"),
    ],
)
def test_what_the_file_does_not_say_is_asked_for(trained, tensors, tmp_path, mean, options, said):
    given = {} if mean is None else {"input_mean": mean}
    save_file(tensors | given, tmp_path / "w.safetensors")
    assert said in refused(trained, tmp_path / "w.safetensors", *options)


def test_what_does_not_fit_is_named_and_the_old_model_stays(trained, tmp_path):
    weight = torch.zeros(64, 3, 11, 11)
    save_file({"features.0.weight": weight, "x": weight.clone()}, tmp_path / "w.safetensors")
    said = refused(trained, tmp_path / "w.safetensors")
    assert "conv1.weight is (64, 3, 11, 11), not (5, 3, 7, 7)" in said
    assert "fc8.bias is missing" in said
    assert "x (64, 3, 11, 11) is not part of it" in said


def test_the_reports_are_those_of_a_training_of_no_epochs(trained, tensors, tmp_path):
    reports = [trained / "reports" / name for name in ("train.json", "train_history.csv")]
    expected = [read_sealed(reports[0], fix=""), reports[1].read_text()]
    del expected[0]["start_cosine"]  # weights from elsewhere have no known start
    for path in reports:
        path.unlink()
    save_file(tensors, tmp_path / "w.safetensors")
    options = ("--mean", "1", "2", "3", "--scale", "0.5")
    atlas(trained, "import-weights", str(tmp_path / "w.safetensors"), *options)
    written = [read_sealed(reports[0], fix=""), reports[1].read_text()]
    assert written[0].pop("made_from") != expected[0].pop("made_from")  # its weights are others
    assert written == expected


def test_an_empty_history_has_the_columns_that_dvc_plots(trained):
    (plot,) = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["plots"]
    ((path, options),) = plot.items()
    with (trained / path).open(encoding="utf-8") as file:
        header = next(csv.reader(file))
    assert {options["x"], *options["y"][path]} == set(header)


@pytest.mark.parametrize(
    "options",
    [
        ["--mean", "nan", "1", "1", "--scale", "1"],
        ["--mean", "1", "1", "1", "--scale", "inf"],
        ["--mean", "1", "1", "-inf", "--scale", "1"],
    ],
)
def test_a_mean_or_scale_that_is_not_finite_is_refused(trained, tensors, tmp_path, options):
    save_file(tensors, tmp_path / "w.safetensors")
    assert "must be finite numbers" in refused(trained, tmp_path / "w.safetensors", *options)


def test_weights_of_nan_are_refused_and_the_old_model_stays(trained, tensors, tmp_path):
    tensors["conv2.bias"][0] = float("nan")
    save_file(tensors, tmp_path / "w.safetensors")
    options = ("--mean", "1", "1", "1", "--scale", "1")
    said = refused(trained, tmp_path / "w.safetensors", *options)
    assert "conv2.bias is NaN or infinite in 1 of" in said
