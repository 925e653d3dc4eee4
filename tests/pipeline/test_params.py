"""params.yaml: what is read, and what is said of each kind of mistake."""

import pytest
import yaml
from pydantic import ValidationError

from pipeline.errors import AtlasError
from pipeline.params import load_params
from stages.preset import PRESETS

DEMO = (PRESETS / "demo.yaml").read_text(encoding="utf-8")


def written(tmp_path, text):
    path = tmp_path / "params.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def changed(tmp_path, section, **values):
    document = yaml.safe_load(DEMO)
    document[section].update(values)
    return written(tmp_path, yaml.safe_dump(document))


def problem(path):
    with pytest.raises(AtlasError) as caught:
        load_params(path)
    assert "\n" not in str(caught.value)
    return caught.value.problem


@pytest.mark.parametrize("preset", sorted(PRESETS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_preset_is_valid(preset):
    document = yaml.safe_load(preset.read_text(encoding="utf-8"))
    params = load_params(preset)
    assert params.seed == document["seed"]
    assert params.data.source == document["data"]["source"]
    assert list(params.scan.layers) == document["scan"]["layers"]


def test_parameters_do_not_change(tmp_path):
    params = load_params(written(tmp_path, DEMO))
    with pytest.raises(ValidationError):
        params.seed = 3


def test_whole_numbers_stand_for_fractions(tmp_path):
    assert load_params(changed(tmp_path, "model", width=1)).model.width == 1.0


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


def test_torchvisions_alexnet_needs_an_input_of_its_own_size(tmp_path):
    said = problem(changed(tmp_path, "model", arch="alexnet-torchvision"))
    assert said.endswith("model.arch alexnet-torchvision needs data.crop 223, not 160.")


def test_layers_drawn_by_chance_are_not_frozen(tmp_path):
    said = problem(changed(tmp_path, "train", freeze=["conv1"]))
    assert said.endswith("train.freeze keeps conv1 as drawn by chance; it needs train.init_from.")


def test_a_key_that_stands_twice_is_refused_with_its_line(tmp_path):
    said = problem(written(tmp_path, "seed: 0\nscan:\n  top: 9\n  top: 3\n"))
    assert said.endswith("is not YAML: line 4: `top` appears twice.")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "`the file` must hold `key: value` lines, not None."),
        ("- 1\n", "`the file` must hold `key: value` lines, not [1]."),
        ("a: [1\n", "is not YAML: line 2: expected ',' or ']'"),
        ("seed: !!python/object:os.system 1\n", "is not YAML: line 1: could not determine"),
        ("[a]: 1\n", "is not YAML: line 1: found unhashable key"),
        ("a: &a [*a]\n", "line 1: aliases (*) are not supported"),
        ("[" * 50_000, "nests lists or sections without end"),
        ("{a: " * 3000, "nests lists or sections without end"),
        ("# " + "x" * 200_000, "is longer than 100000 characters"),
        (b"\xff\xfe\x00", "is not a file of parameters"),
    ],
)
def test_what_is_not_a_file_of_parameters_is_refused(tmp_path, text, said):
    assert said in problem(written(tmp_path, text))


def test_a_missing_file_names_the_command_that_writes_one(tmp_path):
    with pytest.raises(AtlasError, match="atlas preset demo"):
        load_params(tmp_path / "params.yaml")


def test_a_folder_in_its_place_is_refused(tmp_path):
    assert "cannot be read: Is a directory" in problem(tmp_path)


def test_further_faults_are_counted(tmp_path):
    text = yaml.safe_load((PRESETS / "demo.yaml").read_text(encoding="utf-8"))
    text["train"] |= {"epochs": 10**58, "batch_size": 0}
    text["seed"] = -1
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(text))
    with pytest.raises(AtlasError, match=r"Correct it and 2 more fault\(s\), then run again\.$"):
        load_params(tmp_path / "params.yaml")
