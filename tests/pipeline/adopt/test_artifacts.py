import dataclasses
import json

import pytest
import torch
import yaml
from torch import nn

from pipeline.adopt.adoption import adopt_module
from pipeline.adopt.artifacts import adopted_report, write_adopted
from pipeline.adopt.build import Built
from pipeline.dataset.class_names import ClassNames
from pipeline.errors import AtlasError
from pipeline.network.model import load_model
from pipeline.params import Params
from stages.preset import PRESETS
from tests.pipeline.adopt.modules import drawn

CLASSES = ClassNames(("ant", "bee"))


@pytest.fixture(scope="module")
def adopted():
    module = drawn(nn.Sequential(nn.Conv2d(3, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()))
    return adopt_module(Built(module, None, None, None), 8, 3)


def params(**inputs):
    content = yaml.safe_load((PRESETS / "demo.yaml").read_text(encoding="utf-8"))
    content["model"] = {
        "arch": "nets.mine:build",
        "arguments": {"width": 2},
        "weights": "mine.pth",
        "weights_sha256": "a" * 64,
        "inputs": {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.25, 0.5], "interpolation": "bilinear"}
        | inputs,
    }
    content["data"] |= {"resize": 10, "crop": 8}
    content["train"] |= {"epochs": 0}
    return Params.model_validate_json(json.dumps(content))


def test_a_model_folder_needs_no_code_of_the_network_s(tmp_path, adopted):
    card = write_adopted(tmp_path / "model", adopted, params(), CLASSES, "manifest")
    model = load_model(tmp_path / "model")
    assert card.classes == ("ant", "bee")
    assert (card.resize, card.crop, card.epochs_trained) == (10, 8, 0)
    assert card.mean == pytest.approx((127.5, 102, 76.5))  # 255 times, for pixels up to 255
    assert card.scale == pytest.approx((1 / 51, 1 / 63.75, 1 / 127.5))
    assert card.origin.arguments == {"width": 2}
    assert card.origin.values_agree_to == adopted.agreement.values
    assert model.graph == adopted.graph
    assert torch.equal(model.network.tensor("0.weight"), adopted.weights["0.weight"])


def test_one_mean_stands_for_all_colours(tmp_path, adopted):
    card = write_adopted(
        tmp_path / "model", adopted, params(mean=[0.5], std=[0.5]), CLASSES, "manifest"
    )
    assert card.mean == (127.5,) * 3
    assert card.scale == pytest.approx((2 / 255,) * 3)


def test_as_many_classes_are_named_as_the_network_scores(tmp_path, adopted):
    with pytest.raises(AtlasError, match="names 1 classes, and the network scores 2"):
        write_adopted(tmp_path / "model", adopted, params(), ClassNames(("ant",)), "manifest")
    assert not (tmp_path / "model").exists()


def test_the_report_counts_weights_and_channels(adopted):
    report = adopted_report(adopted)
    assert report.parameters == 2 * 3 * 3 * 3 + 2
    assert report.channels == {"0": 2}
    assert (report.epochs_trained, report.stopped_early) == (0, False)
    wider = dataclasses.replace(adopted, weights={"w": torch.zeros(7)})
    assert adopted_report(wider).parameters == 7
