"""What a user can get wrong ends in one line, and leaves every out as it was."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
import yaml
from click.testing import CliRunner

from pipeline.dataset.manifest import read_manifest
from pipeline.network.card import ModelCard
from pipeline.network.model import save_model
from pipeline.network.module import Network
from pipeline.params import load_params
from pipeline.storage.hashing import sha256_of
from stages.cli import main
from tests.workspaces import write_params, write_photos

pytestmark = pytest.mark.slow

ATLAS = str(Path(sys.executable).with_name("atlas"))
CLASSES = {"cat": (3, 5), "dog": (3, 5)}


def run(folder: Path, *command: str) -> None:
    """Run a command that must succeed."""
    result = CliRunner().invoke(main, [*command, "--workspace", str(folder)])
    assert result.exit_code == 0, result.output


def refusal(folder: Path, *command: str) -> str:
    """Run a command that must fail as users can bear: the one line that it says."""
    before = outs(folder)
    result = CliRunner().invoke(main, [*command, "--workspace", str(folder)])
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == 1
    errors = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert result.stderr.splitlines()[-1:] == errors
    assert not re.search("Traceback|Compute Failed|Warning", result.stderr)
    assert outs(folder) == before
    return errors[0]


def outs(folder: Path) -> dict[str, bytes]:
    """Every file of a workspace but its resumable state, with its bytes."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in files
        if ".state" not in path.parts
    }


@pytest.fixture
def fresh(tmp_path) -> Path:
    """A workspace with images of two classes and nothing done yet."""
    write_params(tmp_path)
    write_photos(tmp_path / "photos", CLASSES)
    return tmp_path


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A prepared workspace with a model that never learnt, and its scan."""
    folder = tmp_path_factory.mktemp("trained")
    write_params(folder)
    write_photos(folder / "photos", CLASSES)
    run(folder, "prepare")
    write_model(folder)
    run(folder, "scan")
    return folder


@pytest.fixture
def copy(trained, tmp_path) -> Path:
    folder = tmp_path / "copy"
    shutil.copytree(trained, folder)
    return folder


def write_model(folder: Path) -> None:
    params = load_params(folder / "params.yaml")
    manifest = folder / "artifacts" / "manifest.csv"
    card = ModelCard(
        arch="zfnet",
        width=params.model.width,
        fc_features=params.model.fc_features,
        classes=read_manifest(manifest).classes,
        resize=params.data.resize,
        crop=params.data.crop,
        mean=(128.0, 128.0, 128.0),
        scale=1 / 64,
        seed=0,
        epochs_trained=0,
        weights_sha256="",
        manifest_sha256=sha256_of(manifest),
    )
    model = folder / "artifacts" / "model"
    model.mkdir()
    torch.manual_seed(0)
    save_model(model, card, Network(card.graph()).state_dict())


def edit_card(folder: Path, changed: Mapping[str, object]) -> None:
    path = folder / "artifacts" / "model" / "model.json"
    facts = json.loads(path.read_text())
    del facts["sha256"]
    path.write_text(json.dumps(facts | changed))


def test_no_params(tmp_path):
    assert "params.yaml. Write one with `atlas preset demo`." in refusal(tmp_path, "prepare")


def test_no_data(fresh):
    shutil.rmtree(fresh / "photos")
    assert str(fresh / "photos") in refusal(fresh, "prepare")


def test_a_folder_without_images(fresh):
    shutil.rmtree(fresh / "photos")
    (fresh / "photos").mkdir()
    assert str(fresh / "photos") in refusal(fresh, "prepare")


def test_an_empty_class(fresh):
    (fresh / "photos" / "train" / "bird").mkdir()
    (fresh / "photos" / "val" / "bird").mkdir()
    assert "bird" in refusal(fresh, "prepare")


def test_no_validation_image(fresh):
    write_params(fresh, {"data": {"root": "photos/train", "val_fraction": 0.0}})
    assert "data.val_fraction" in refusal(fresh, "prepare")


def test_images_without_classes_to_train_on(fresh):
    write_params(fresh, {"data": {"root": "photos/val/cat"}})
    run(fresh, "prepare")
    assert "nothing to train on" in refusal(fresh, "train")


def test_more_unusable_images_than_allowed(fresh):
    for path in (fresh / "photos" / "train" / "cat").iterdir():
        path.write_bytes(b"<html>not found</html>")
    assert "3 of 16" in refusal(fresh, "prepare")


@pytest.mark.parametrize("stage", ["prepare", "train", "scan"])
def test_a_misspelt_parameter(fresh, stage):
    write_params(fresh, {"scan": {"topp": 9}})
    line = refusal(fresh, stage)
    assert "scan.topp" in line
    assert "top" in line.replace("topp", "")


def test_a_parameter_of_the_wrong_kind(fresh):
    write_params(fresh, {"scan": {"top": "nine"}})
    line = refusal(fresh, "scan")
    assert "scan.top" in line
    assert "'nine'" in line


def test_a_file_that_is_not_yaml(fresh):
    (fresh / "params.yaml").write_text("seed: [0\n")
    assert "not YAML" in refusal(fresh, "prepare")


@pytest.mark.parametrize("stage", ["prepare", "train", "scan"])
def test_a_layer_that_does_not_exist_is_told_before_a_training(fresh, stage):
    write_params(fresh, {"scan": {"layers": ["conv1", "conv9"]}})
    line = refusal(fresh, stage)
    assert "'conv9'" in line
    assert "'conv5'" in line


def test_a_layer_that_the_variant_leaves_out(fresh):
    write_params(fresh, {"scan": {"layers": ["conv3"]}, "model": {"without": ["conv3"]}})
    assert "scan.layers names conv3, which model.without leaves out" in refusal(fresh, "prepare")


def test_a_layer_that_the_model_lacks(copy):
    edit_card(copy, {"without": ["fc7"]})
    write_params(copy, {"scan": {"layers": ["fc7"]}})
    assert "fc7" in refusal(copy, "scan")


def test_weights_that_do_not_fit_the_architecture(copy):
    edit_card(copy, {"width": 0.1})
    line = refusal(copy, "scan")
    assert "conv1.weight is (5, 3, 7, 7), not (10, 3, 7, 7)" in line


def test_an_architecture_that_nobody_knows(copy):
    edit_card(copy, {"arch": "resnet"})
    assert "zfnet" in refusal(copy, "scan")


def test_weights_that_are_not_those_of_the_card(copy):
    edit_card(copy, {"weights_sha256": "0" * 64})
    assert "sha256 differs" in refusal(copy, "scan")


def test_a_cut_off_weights_file(copy):
    weights = copy / "artifacts" / "model" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    assert "weights.safetensors" in refusal(copy, "scan")


@pytest.mark.parametrize(
    ("stage", "missing", "maker"),
    [
        ("train", "manifest.csv", "prepare"),
        ("scan", "manifest.csv", "prepare"),
        ("scan", "model", "train"),
        ("evaluate", "model", "train"),
        ("project", "scan.zarr", "scan"),
        ("crop", "scan.zarr", "scan"),
        ("verify", "projections.zarr", "project"),
        ("render", "scan.zarr", "scan"),
    ],
)
def test_a_stage_before_its_time_names_the_stage_to_run(copy, stage, missing, maker):
    path = copy / "artifacts" / missing
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    line = refusal(copy, stage)
    assert missing in line
    assert f"`dvc repro {maker}`" in line


@pytest.mark.parametrize("stage", ["evaluate", "scan", "project"])
def test_a_device_that_there_is_not(copy, monkeypatch, stage):
    monkeypatch.setenv("ATLAS_DEVICE", "cuda:97")
    assert "cuda:97" in refusal(copy, stage)


@pytest.mark.parametrize(
    ("name", "said"),
    [("nothing.pth", "There is no file {}."), ("photos", "{} is not a regular file.")],
)
def test_a_start_that_is_not_a_file(copy, name, said):
    write_params(copy, {"train": {"init_from": name}})
    line = refusal(copy, "train")
    assert said.format(copy / name) in line
    assert "Correct train.init_from" in line


def test_a_scan_of_another_model(copy):
    shutil.rmtree(copy / "artifacts" / "model")
    write_params(copy, {"model": {"width": 0.06}})
    write_model(copy)
    line = refusal(copy, "project")
    assert "belongs to other weights" in line
    assert "`dvc repro scan`" in line


def test_an_unfinished_store(copy):
    metadata = copy / "artifacts" / "scan.zarr" / "zarr.json"
    content = json.loads(metadata.read_text())
    content["attributes"]["complete"] = False
    metadata.write_text(json.dumps(content))
    assert "never finished" in refusal(copy, "crop")


def test_an_image_that_went_after_it_was_listed(copy):
    (copy / "photos" / "val" / "cat" / "photo 0.jpg").unlink()
    line = refusal(copy, "scan")
    assert "photo 0.jpg" in line
    assert "`dvc repro -f -s prepare`" in line


@pytest.mark.parametrize("stage", ["prepare", "scan", "crop"])
def test_a_disk_that_takes_no_more(copy, stage):
    """The kernel refuses to let any file grow past a kibibyte, as a full disk or a quota would."""
    before = outs(copy)
    done = subprocess.run(
        ["sh", "-c", 'ulimit -f 2; exec "$0" "$1"', ATLAS, stage],
        cwd=copy,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("Error: No space left to write ")
    assert outs(copy) == before


def test_yaml_that_users_write_by_hand_is_understood(fresh):
    params = yaml.safe_load((fresh / "params.yaml").read_text())
    params["train"]["scale"] = 1
    (fresh / "params.yaml").write_text(yaml.safe_dump(params))
    assert load_params(fresh / "params.yaml").train.scale == 1.0
