"""A folder of images through `dvc repro` to an atlas, and what runs again after which change."""

import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import torch
import yaml
import zarr
from safetensors.torch import load_file, save_file

from pipeline.atlas import open_atlas
from pipeline.network.model import load_model
from pipeline.params import load_params
from tests.imports import ROOT
from tests.workspaces import write_params, write_photos

pytestmark = pytest.mark.slow

CODE = ("pipeline", "stages", "atlas_site", "demo", "nets", "presets")
ALL = ["prepare", "train", "evaluate", "scan", "project", "crop", "verify", "figures", "render"]


def repro(folder: Path, *arguments: str) -> list[str]:
    """Run `dvc repro`; return the stages that ran, in order."""
    said = run(folder, "dvc", "repro", *arguments)
    return re.findall(r"^Running stage '(\w+)'", said, flags=re.MULTILINE)


def run(folder: Path, *command: str) -> str:
    """Run a command as a user would; return what it says."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(folder),
            "OMP_NUM_THREADS": "2",
            "DVC_SITE_CACHE_DIR": str(folder / ".dvc" / "site"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """An unpacked source archive, in a folder with a space, in which every stage has run."""
    folder = tmp_path_factory.mktemp("feature atlas")
    for name in CODE:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for name in ("dvc.yaml", ".dvcignore", ".dvc/config"):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    (folder / ".dvc" / "config.local").write_text("[core]\n    no_scm = true\n")
    write_photos(folder / "photos", {"cats & dogs": (6, 4), "häuser": (6, 4), "tréés": (5, 3)})
    (folder / "photos" / "val" / "häuser" / "cut off.jpg").write_bytes(b"\xff\xd8\xff")
    write_params(folder, {"data": {"max_rejected_fraction": 0.1}})
    assert repro(folder) == ALL
    return folder


@pytest.fixture
def copy(finished, tmp_path) -> Path:
    """The finished workspace, for a test to change."""
    folder = tmp_path / "copy of atlas"
    shutil.copytree(finished, folder)
    return folder


class Links(HTMLParser):
    """Collects what a page points at."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in ("href", "src") and value]


def pages(folder: Path) -> list[Path]:
    return sorted((folder / "site").rglob("*.html"))


def test_the_site_has_an_index_and_a_page_for_every_layer(finished):
    names = {page.name for page in pages(finished)}
    assert {"index.html", *(f"conv{n}.html" for n in range(1, 6))} <= names


def test_every_link_and_image_of_the_site_exists_within_it(finished):
    missing = []
    for page in pages(finished):
        for link in Links(page).found:
            parts = urlsplit(link)
            assert not parts.netloc, f"{page.name} points outside: {link}"
            if parts.scheme == "data" or not parts.path:
                continue
            target = (page.parent / unquote(parts.path)).resolve()
            if not (target.is_file() and target.is_relative_to(finished / "site")):
                missing.append((page.name, link))
    assert not missing


def test_the_stores_are_complete_and_made_from_one_model_and_manifest(finished):
    stores = [zarr.open_group(path, mode="r") for path in (finished / "artifacts").glob("*.zarr")]
    assert len(stores) == 3
    assert {store.attrs["complete"] for store in stores} == {True}
    for name in ("weights_sha256", "manifest_sha256", "model_sha256"):
        assert len({store.attrs[name] for store in stores}) == 1


def test_the_reader_gives_nine_records_of_a_live_channel(finished):
    atlas = open_atlas(finished / "artifacts")
    assert atlas.layers == ("conv1", "conv2", "conv3", "conv4", "conv5")
    records = [atlas.top("conv1", channel) for channel in range(5)]
    assert max(len(found) for found in records) == 9


def test_the_unusable_file_is_listed_with_a_reason(finished):
    assert "cut off.jpg" in (finished / "artifacts" / "rejected.csv").read_text(encoding="utf-8")


def test_nothing_unfinished_is_left_behind(finished):
    assert not [path for path in finished.rglob(".*.partial-*")]
    states = set((finished / ".state").iterdir())
    states.remove(finished / ".state" / "prepare")  # kept: what it decoded is not decoded again
    assert not [path for stage in states for path in stage.iterdir() if path.is_dir()]


def test_a_second_run_runs_nothing(finished):
    assert repro(finished) == []


def test_a_changed_template_reruns_render_alone(copy):
    template = next((copy / "atlas_site").rglob("*.html*"))
    template.write_text(template.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert repro(copy) == ["render"]


def test_a_changed_top_reruns_the_scan_and_what_follows_but_no_training(copy):
    write_params(copy, {"data": {"max_rejected_fraction": 0.1}, "scan": {"top": 4}})
    assert repro(copy) == ["scan", "project", "crop", "verify", "figures", "render"]
    scan = zarr.open_group(copy / "artifacts" / "scan.zarr", mode="r")
    assert dict(scan.groups())["conv3"]["image"].shape == (19, 4)


def test_the_pages_can_be_made_again_alone(copy):
    before = {path: path.read_bytes() for path in (copy / "site").rglob("*") if path.is_file()}
    shutil.rmtree(copy / "site")
    assert repro(copy, "-s", "render") == ["render"]
    after = {path: path.read_bytes() for path in (copy / "site").rglob("*") if path.is_file()}
    assert before == after


def test_the_images_may_move_without_a_new_training(copy):
    (copy / "photos").rename(copy / "pictures")
    params = yaml.safe_load((copy / "params.yaml").read_text(encoding="utf-8"))
    params["data"]["root"] = "pictures"
    (copy / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    assert repro(copy) == ["prepare", "render"]


def test_imported_weights_take_the_place_of_a_training(copy):
    weights = load_file(copy / "artifacts" / "model" / "weights.safetensors")
    weights["conv1.bias"] += 0.01
    save_file(weights, copy / "elsewhere.safetensors")
    scale = load_params(copy / "params.yaml").train.scale
    run(copy, "atlas", "import-weights", "elsewhere.safetensors", "--scale", str(scale))
    run(copy, "dvc", "commit", "-f", "train")
    assert repro(copy, "evaluate") == ["evaluate"]
    assert torch.equal(
        load_model(copy / "artifacts" / "model").network.conv1.bias, weights["conv1.bias"]
    )
