"""What is said of each kind of mistake."""

import pytest
import yaml

from pipeline.errors import AtlasError
from pipeline.params import load_params
from tests.pipeline.params.files import DEMO, changed, problem, written


def test_a_typo_names_the_key_that_may_be_meant(tmp_path):
    text = DEMO.replace("resize:", "rezise:")
    said = problem(written(tmp_path, text))
    assert said.endswith("`data.rezise` is not a parameter; `resize` may be meant.")


def test_a_strange_key_lists_the_known_ones(tmp_path):
    said = problem(changed(tmp_path, "project", xyzzy=1))
    assert "`project.xyzzy` is not a parameter; valid keys: method, batch_size." in said


def test_a_missing_key_is_named(tmp_path):
    text = "".join(line for line in DEMO.splitlines(True) if "val_fraction" not in line)
    assert "`data.val_fraction` is missing." in problem(written(tmp_path, text))


@pytest.mark.parametrize(
    ("section", "key", "value", "said"),
    [
        ("data", "source", "demoo", "`data.source` is 'demoo': Input should be 'demo', 'folder'"),
        ("data", "resize", "176", "`data.resize` is '176': Input should be a valid integer"),
        ("data", "resize", 0, "`data.resize` is 0: Input should be greater than or equal to 1"),
        ("data", "val_fraction", 1.5, "`data.val_fraction` is 1.5"),
        ("train", "learning_rate", "1e-2", "YAML reads it as text, write 0.01."),
        ("train", "epochs", True, "`train.epochs` is True: Input should be a valid integer"),
        ("model", "width", float("inf"), "`model.width` is 'Infinity'"),
        ("model", "width", float("nan"), "`model.width` is 'NaN'"),
        ("model", "without", ["conv3", "conv9"], "`model.without.1` is 'conv9'"),
        ("model", "conv_channels", {"conv3": 0}, "`model.conv_channels.conv3` is 0"),
        ("scan", "layers", [], "`scan.layers` is []"),
    ],
)
def test_a_wrong_value_is_named_with_its_key(tmp_path, section, key, value, said):
    assert said in problem(changed(tmp_path, section, **{key: value}))


def test_a_rule_between_two_values_is_said_without_the_whole_section(tmp_path):
    said = problem(changed(tmp_path, "data", resize=100, crop=160))
    assert said.endswith("params.yaml: `data`: crop 160 is larger than resize 100.")


def test_further_faults_are_counted(tmp_path):
    text = yaml.safe_load(DEMO)
    text["train"] |= {"epochs": 10**58, "batch_size": 0}
    text["seed"] = -1
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(text))
    with pytest.raises(AtlasError, match=r"Correct it and 2 more fault\(s\), then run again\.$"):
        load_params(tmp_path / "params.yaml")
