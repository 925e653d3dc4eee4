"""A network written in a few lines, adopted, read, evaluated and scanned, as a user does it."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from PIL import Image

from pipeline.atlas import open_atlas
from pipeline.errors import AtlasError
from pipeline.network.model import load_model
from pipeline.params import AdoptedParams, load_params
from stages.cli import main
from tests.workspaces import waves

MINE = """
from torch import nn

class Residual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x):
        return (x + self.norm(self.conv(x))).relu()

def build(width=6):
    return nn.Sequential(
        nn.Conv2d(3, width, 5, 2), nn.ReLU(), nn.MaxPool2d(2), Residual(width),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 3), nn.Softmax(1),
    )
"""
INPUTS = [
    "--mean",
    "0.5",
    "0.4",
    "0.3",
    "--std",
    "0.2",
    "0.25",
    "0.5",
    "--resize",
    "40",
    "--crop",
    "32",
]


def atlas(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(main, [words[0], "-w", str(folder), *words[1:]])


def done(folder: Path, *words: str) -> str:
    result = atlas(folder, *words)
    assert result.exit_code == 0, result.output
    return result.output


def photos(folder: Path, names: tuple[str, ...], each: int) -> None:
    for number, name in enumerate(names):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for image in range(each):
            pixels = waves(np.random.default_rng([number, image]), number)
            Image.fromarray(pixels).save(folder / name / f"{image}.png")


@pytest.fixture(scope="module")
def adopted(tmp_path_factory) -> Path:
    """A workspace with photographs and an adopted network, prepared and read."""
    folder = tmp_path_factory.mktemp("mine")
    (folder / "nets").mkdir()
    (folder / "nets" / "mine.py").write_text(MINE)
    (folder / "classes.txt").write_text("cat\ntabby cat, puss\nbig dog\n")
    photos(folder / "photos", ("0", "puss", "big_dog", "whale"), 4)
    classes, images = str(folder / "classes.txt"), str(folder / "photos")
    done(folder, "adopt", "nets.mine:build", *INPUTS, "--classes", classes, "--images", images)
    for command in ("prepare", "train", "evaluate", "scan"):
        done(folder, command)
    return folder


def test_params_hold_all_that_the_options_said(adopted):
    params = load_params(adopted / "params.yaml")
    assert isinstance(params.model, AdoptedParams)
    assert params.model.inputs.std == (0.2, 0.25, 0.5)
    assert (params.data.resize, params.data.crop, params.data.root) == (40, 32, "photos")
    assert params.train.epochs == 0
    assert params.scan.layers == ("default",)


def test_adopting_again_changes_nothing_and_says_so(adopted):
    classes = str(adopted / "classes.txt")
    said = done(adopted, "adopt", "nets.mine:build", *INPUTS, "--classes", classes)
    assert "already says what `atlas adopt nets.mine:build` says" in said
    assert "2 layers will be shown:\n  0: 6 channels of 14 × 14 cells\n  3: 6 channels" in said


def test_folders_mean_classes_by_number_name_and_synonym(adopted):
    labels = [row.label for row in open_atlas(adopted / "artifacts").images]
    assert sorted(set(labels)) == ["big dog", "cat", "tabby cat, puss", "whale"]
    assert json.loads((adopted / "reports" / "evaluate.json").read_text())["images"] == 12


def test_the_model_computes_what_the_module_does_without_its_code(adopted, monkeypatch):
    monkeypatch.syspath_prepend(str(adopted))
    module = __import__("nets.mine", fromlist=["build"])
    torch.manual_seed(0)
    theirs = module.build().eval()
    model = load_model(adopted / "artifacts" / "model")
    pixels = torch.randint(0, 256, (2, 3, 32, 32), dtype=torch.uint8)
    mean, std = torch.tensor([0.5, 0.4, 0.3]), torch.tensor([0.2, 0.25, 0.5])
    inputs = (pixels / 255 - mean.reshape(3, 1, 1)) / std.reshape(3, 1, 1)
    scores = model.network(model.normalisation(pixels))
    assert torch.allclose(scores.softmax(1), theirs(inputs), atol=1e-6)
    assert model.card.origin.sources.keys() == {"nets.mine"}


def test_the_atlas_opens_in_a_process_that_cannot_import_the_network(adopted):
    code = (
        "from pipeline.atlas import open_atlas; import sys; a = open_atlas(sys.argv[1]); "
        "print(a.layers); assert not [m for m in sys.modules if m.startswith('nets')]"
    )
    command = [sys.executable, "-c", code, str(adopted / "artifacts")]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert out.strip() == "('0', '3')"


def test_a_scan_finds_the_peaks_of_the_module_itself(adopted):
    run = open_atlas(adopted / "artifacts")
    model = run.loaded_model
    inputs = model.normalisation(
        torch.stack([torch.tensor(run.image(row)) for row in range(len(run.images))]).movedim(3, 1)
    )
    maps = model.network.activations(inputs, ["3"])["3"]
    peaks = maps.amax((2, 3))
    best = peaks.max(0)
    record = run.records["3"]
    lively = best.values > 0
    assert lively.any()
    assert record.image[lively.numpy(), 0].tolist() == best.indices[lively].tolist()
    assert np.allclose(record.activation[lively.numpy(), 0], best.values[lively], rtol=1e-5)


def test_a_graph_that_was_changed_is_refused(adopted, tmp_path):
    model = tmp_path / "model"
    model.mkdir()
    for file in (adopted / "artifacts" / "model").iterdir():
        (model / file.name).write_bytes(file.read_bytes())
    graph = (model / "graph.json").read_text()
    (model / "graph.json").write_text(graph.replace("relu", "sigmoid"))
    with pytest.raises(AtlasError, match=r"graph\.json is not the file that model\.json describes"):
        load_model(model)


def test_a_weights_file_that_changed_is_noticed(tmp_path):
    (tmp_path / "nets").mkdir()
    (tmp_path / "nets" / "mine.py").write_text(MINE)
    photos(tmp_path / "photos" / "val", ("",), 9)
    name = {"__name__": "mine"}
    exec(MINE, name)
    state = name["build"]().state_dict()
    torch.save(state, tmp_path / "w.pth")
    where = ("--weights", str(tmp_path / "w.pth"), "--images", str(tmp_path / "photos"))
    done(tmp_path, "adopt", "nets.mine:build", *INPUTS, *where)
    done(tmp_path, "prepare")
    done(tmp_path, "train")
    torch.save({key: tensor + 1 for key, tensor in state.items()}, tmp_path / "w.pth")
    result = atlas(tmp_path, "train")
    assert result.exit_code == 1
    assert "w.pth is not the file that params.yaml names" in result.output
    done(tmp_path, "evaluate")
    report = json.loads((tmp_path / "reports" / "evaluate.json").read_text())
    assert report["images"] == 0
    assert "top1_error" not in report


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["resnet50"], "'resnet50' does not name a network. Write torchvision:NAME"),
        (["nets.mine:build"], "Nothing says how the network's inputs are normalised. Add --mean"),
        (["nets.mine:build", "--mean", "124", "116", "104", "--std", "58", "57", "57"], "by 255"),
        (["nets.mine:build", *INPUTS, "-a", "width"], "--arguments 'width' is not KEY=VALUE"),
        (["nets.mine:build", *INPUTS, "-a", "width=["], "--arguments 'width=[' is not KEY=VALUE"),
        (["nets.mine:build", *INPUTS, "--layers", "conv1"], "no layer 'conv1'; it has 0, 3.conv"),
        (["nets.mine:build", *INPUTS, "--classes", "imagenet"], "scores 3 classes, and imagenet"),
        (["nets.mine:build", *INPUTS, "--crop", "4"], "does not run on an input of (3, 4, 4)"),
        (["nets.mine:build", *INPUTS, "--resize", "20"], "--resize 20 is smaller than the input's"),
        (
            ["nets.mine:build", *INPUTS, "--images", "none"],
            "--images none does not exist. Name the",
        ),
        (["nets.mine:build", *INPUTS, "--images", "nets/none"], "--images nets/none holds no file"),
        (
            ["nets.mine:build", "--grey", "0.5", "0.2", "--crop", "32"],
            "takes 3-channel images, not 1",
        ),
    ],
)
def test_what_cannot_be_adopted_is_said_in_one_line_and_changes_nothing(tmp_path, words, said):
    (tmp_path / "nets" / "none").mkdir(parents=True)
    (tmp_path / "nets" / "mine.py").write_text(MINE)
    result = atlas(tmp_path, "adopt", *words)
    assert result.exit_code == 1
    assert said in result.output
    assert result.output.count("\n") == 1
    assert not (tmp_path / "params.yaml").exists()


def test_what_was_adopted_is_counted_in_the_singular_too(tmp_path):
    (tmp_path / "nets").mkdir()
    (tmp_path / "nets" / "mine.py").write_text(MINE.replace("width, 3", "width, classes"))
    nets = (tmp_path / "nets" / "mine.py").read_text().replace("width=6", "width=1, classes=1")
    (tmp_path / "nets" / "mine.py").write_text(nets)
    said = done(tmp_path, "adopt", "nets.mine:build", *INPUTS, "--layers", "0")
    assert "It scores 1 class: 0\n1 layer will be shown:\n  0: 1 channel of 14" in said
    said = done(tmp_path, "adopt", "nets.mine:build", *INPUTS, "-a", "classes=3")
    assert "It scores 3 classes: 0, 1, 2\n" in said
    said = done(tmp_path, "adopt", "nets.mine:build", *INPUTS, "-a", "classes=4")
    assert "It scores 4 classes: 0, 1, 2 …\n" in said
