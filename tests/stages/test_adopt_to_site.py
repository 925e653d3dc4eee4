"""Networks that are no classifiers of convolutions, from their code to the pages of the site."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from atlas_site.layer_keys import layer_keys
from pipeline.atlas import Run, open_atlas
from tests.foreign_networks import FEW_FIGURES, done, write_classes
from tests.workspaces import waves, write_params

NETS = '''
import torch
from torch import nn
from torch.nn import functional as F


class UNet(nn.Module):
    """From an image to a map of three channels, of as many cells as the image has pixels."""

    def __init__(self):
        super().__init__()
        self.down, self.deep = nn.Conv2d(3, 6, 3, padding=1), nn.Conv2d(6, 6, 3, padding=1)
        self.up, self.out = nn.Conv2d(12, 6, 3, padding=1), nn.Conv2d(6, 3, 1)

    def forward(self, x):
        fine = F.relu(self.down(x))
        coarse = F.relu(self.deep(F.max_pool2d(fine, 2)))
        both = torch.cat([fine, F.interpolate(coarse, scale_factor=2, mode="nearest")], 1)
        return self.out(F.relu(self.up(both)))


def mlp():
    """From the pixels of an image to three scores, without a convolution."""
    return nn.Sequential(
        nn.Flatten(), nn.Linear(3 * 32 * 32, 8), nn.ReLU(), nn.Linear(8, 3)
    )
'''
STAGES = ("prepare", "train", "evaluate", "scan", "project", "crop", "figures", "verify", "render")
NO_SCORES = "The network's output is not a list of class scores."


def write_flat(folder: Path) -> None:
    """Photographs of waves without classes."""
    folder.mkdir()
    for image in range(6):
        pixels = waves(np.random.default_rng(image), image % 3)
        Image.fromarray(pixels).save(folder / f"{image}.png")


def finished(folder: Path, function: str, *, labelled: bool) -> Run:
    """The run of a network of the file above, after every stage."""
    (folder / "nets").mkdir()
    (folder / "nets" / "forms.py").write_text(NETS, encoding="utf-8")
    if labelled:
        write_classes(folder / "photos", each=2)
    else:
        write_flat(folder / "photos")
    figures = {**FEW_FIGURES, "occlusion": {"side": 16, "stride": 16, "value": 128}}
    write_params(folder, {"scan": {"top": 3}, "figures": figures})
    inputs = ("--mean", *["0.5"] * 3, "--std", *["0.25"] * 3, "--resize", "36", "--crop", "32")
    images = ("--layers", "all", "--images", str(folder / "photos"))
    done(folder, "adopt", f"nets.forms:{function}", *inputs, *images)
    for stage in STAGES:
        done(folder, stage)
    return open_atlas(folder / "artifacts")


def assert_sound(folder: Path, run: Run, layers: Sequence[str]) -> None:
    """The slow reference finds nothing wrong, and every page is there."""
    assert run.layers == tuple(layers)
    report = json.loads((folder / "reports" / "verify.json").read_text())
    assert report["entries"] > 0
    assert report["wrong"] == report["faults"] == 0
    keys = layer_keys(layers).values()
    for page in ("index", "images", "channels", "classes", "figures", *keys):
        assert (folder / "site" / f"{page}.html").is_file()


@pytest.mark.parametrize("labelled", [True, False], ids=["labelled", "unlabelled"])
def test_a_network_whose_output_is_a_map_is_shown_without_error_rates(tmp_path, labelled):
    run = finished(tmp_path, "UNet", labelled=labelled)
    assert_sound(tmp_path, run, ("down", "deep", "cat", "up", "out"))
    assert run.card.classes == ()
    report = json.loads((tmp_path / "reports" / "evaluate.json").read_text())
    assert report["images"] == 0
    assert not [name for name in report if "error" in name or "accuracy" in name]
    assert run.reports.predictions() == {}
    assert run.figures["occlusion"].missing == run.figures["invariance"].missing == NO_SCORES
    classes = (tmp_path / "site" / "classes.html").read_text()
    assert ("The network scores no classes, and no image has one." in classes) is not labelled
    assert NO_SCORES.replace("'", "&#39;") in (tmp_path / "site" / "figures.html").read_text()


def test_a_network_without_a_convolution_is_shown_like_any_other(tmp_path):
    run = finished(tmp_path, "mlp", labelled=True)
    assert_sound(tmp_path, run, ("1", "3"))
    assert run.reports.error_rates().images == 6
    assert len(run.reports.predictions()) == 6
    assert run.figures["occlusion"].missing.startswith("The network has no layer with a map")
