"""`atlas preset` writes a whole params.yaml and hides nothing that it changes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from pipeline.params import load_params
from pipeline.sources.classics import TORCHVISION
from stages.preset import PRESETS, main, names

ATLAS = str(Path(sys.executable).with_name("atlas"))


def preset(folder: Path, name: str) -> Result:
    return CliRunner().invoke(main, [name, "--workspace", str(folder)])


@pytest.mark.parametrize("name", names())
def test_every_preset_is_a_valid_and_whole_file_that_fits_its_source(name):
    params = load_params(PRESETS / f"{name}.yaml")
    assert params.data.source == name


def test_the_presets_are_those_of_the_contract():
    assert names() == [
        *("caltech101", "cifar10", "cifar100", "demo"),
        *("fashion-mnist", "imagenet", "imagenette", "mnist"),
    ]


def test_the_imagenet_preset_is_the_recipe_of_the_paper():
    params = load_params(PRESETS / "imagenet.yaml")
    data, train = params.data, params.train
    assert (data.resize, data.crop, params.model.width) == (256, 224, 1.0)
    assert (train.epochs, train.batch_size, train.learning_rate, train.momentum) == (
        *(70, 128),
        *(0.01, 0.9),
    )
    assert (train.schedule, train.weight_decay, train.dropout) == ("plateau", 5e-4, 0.5)
    assert (train.init, train.mean, train.scale, train.filter_rms_cap) == (
        *("normal", "pixel"),
        *(1.0, 0.1),
    )
    assert train.snapshots == (1, 2, 5, 10, 20, 30, 40, 64)


@pytest.mark.parametrize("name", names())
def test_a_unit_sees_only_a_part_of_the_image(name):
    """conv5 sees 139 pixels a side; of enlarged small pictures conv3, which sees 75, is enough."""
    sees = 75 if name in TORCHVISION else 139
    assert load_params(PRESETS / f"{name}.yaml").data.crop > sees


def test_the_help_lists_the_presets():
    output = CliRunner().invoke(main, ["--help"], terminal_width=200).output
    assert all(name in output for name in names())


def test_a_preset_replaces_the_file_and_tells_each_changed_key_with_both_values(tmp_path):
    preset(tmp_path, "demo")
    edited = yaml.safe_load((tmp_path / "params.yaml").read_text())
    edited["scan"]["top"] = 4
    edited["model"]["conv_channels"] = {"conv3": 512}
    edited["mine"] = 1
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(edited))
    output = preset(tmp_path, "demo").output.splitlines()
    assert output[1:] == [
        "  model.conv_channels: (not there) → {}",
        "  scan.top: 4 → 9",
        "  mine: 1 → (not there)",
        "  model.conv_channels.conv3: 512 → (not there)",
    ]
    assert (tmp_path / "params.yaml").read_bytes() == (PRESETS / "demo.yaml").read_bytes()


def test_a_preset_that_stands_already_changes_nothing_and_says_so(tmp_path):
    preset(tmp_path, "demo")
    assert "already says" in preset(tmp_path, "demo").output


BOMB = b"".join(b"k%d: &k%d {a: *k%d, b: *k%d}\n" % (n, n, n - 1, n - 1) for n in range(1, 60))
"""A few lines that stand for 2⁵⁹ values, where aliases are followed."""


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe", b"a: [", b"- 1\n", b"k0: &k0 1\n" + BOMB, b"a: " + b"[" * 5000],
    ids=["empty", "bytes", "cut", "list", "aliases", "nested"],
)
def test_an_unreadable_file_is_replaced_and_that_is_said(tmp_path, content):
    (tmp_path / "params.yaml").write_bytes(content)
    assert "no readable one before" in preset(tmp_path, "demo").output
    assert load_params(tmp_path / "params.yaml")


def test_a_key_that_goes_is_only_shown(tmp_path):
    (tmp_path / "params.yaml").write_text('"a\\e[2J": 1\n')
    assert "a\\x1b[2J: 1 → (not there)" in preset(tmp_path, "demo").output


def test_an_unknown_name_lists_the_presets_in_one_line_and_writes_nothing(tmp_path):
    output = subprocess.run(
        [ATLAS, "preset", "demon"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert output.returncode == 2
    assert len(output.stderr.splitlines()) == 1
    assert ", ".join(map(repr, names())) in output.stderr
    assert os.listdir(tmp_path) == []


def test_presets_are_found_from_any_folder(tmp_path):
    subprocess.run([ATLAS, "preset", "imagenette"], cwd=tmp_path, check=True)
    assert load_params(tmp_path / "params.yaml").data.source == "imagenette"
