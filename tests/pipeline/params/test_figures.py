import json
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from pipeline.params.figures import FiguresParams

DEMO = yaml.safe_load((Path(__file__).parents[3] / "presets" / "demo.yaml").read_text())["figures"]


def checked(**changes):
    """The section with changes, as it comes from the file."""
    return FiguresParams.model_validate_json(json.dumps(DEMO | changes))


def test_images_are_a_number_or_rows():
    assert checked(images=3).images == 3
    assert checked(images=[0, 7]).images == (0, 7)


@pytest.mark.parametrize("images", [0, 101, [], [-1], "all"])
def test_other_images_are_refused(images):
    with pytest.raises(ValidationError, match="images"):
        checked(images=images)


@pytest.mark.parametrize(
    ("section", "name", "value"),
    [
        ("evolution", "channels", 65),
        ("evolution", "images", 0),
        ("invariance", "largest_scale", 1),
        ("invariance", "steps", 101),
        ("occlusion", "value", 256),
        ("occlusion", "stride", 0),
        ("correspondence", "images", 1),
        ("correspondence", "colour", 3),
    ],
)
def test_a_number_out_of_range_or_an_unknown_key_is_named(section, name, value):
    with pytest.raises(ValidationError, match=f"{section}.{name}"):
        checked(**{section: DEMO[section] | {name: value}})


def test_a_figure_is_made_once_and_is_one_that_there_is():
    with pytest.raises(ValidationError, match="names a figure twice"):
        checked(make=["occlusion", "occlusion"])
    with pytest.raises(ValidationError, match="make"):
        checked(make=["saliency"])
