"""params.yaml: what is read, and what is said of each kind of mistake."""

import pytest
import yaml
from pydantic import ValidationError

from pipeline.errors import AtlasError
from pipeline.params import load_params
from stages.preset import PRESETS
from tests.pipeline.params.files import DEMO, changed, problem, written


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


def test_torchvisions_alexnet_needs_an_input_of_its_own_size(tmp_path):
    said = problem(changed(tmp_path, "model", arch="alexnet-torchvision"))
    assert said.endswith("model.arch alexnet-torchvision needs data.crop 223, not 160.")


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
