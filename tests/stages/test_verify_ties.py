"""Ties: white images whose pools choose among values equal but for rounding are found right.

The images and the filters of conv1 are each other's mirror images left and right of one column. So
are conv1's maps, up to the order in which a sum is rounded, and one column of pool1 has the two
sides in the same windows.
"""

import json
import shutil
from collections.abc import Mapping

import numpy as np
import pytest
import torch
import zarr
from click.testing import CliRunner
from PIL import Image
from safetensors.torch import load_file

from pipeline.atlas import open_atlas
from pipeline.dataset.manifest import ImageRow
from pipeline.network.card import load_card
from pipeline.network.model import save_model
from pipeline.project.forward_plan import ForwardPlan
from pipeline.project.replay import SwitchReplay
from pipeline.project.worker import config_of
from pipeline.storage.hashing import sha256_of
from pipeline.workspace import Workspace
from stages.cli import main
from tests.pipeline.scan.worlds import CLASSES, make_model
from tests.workspaces import write_listing, write_params

IMAGES = 40
TOP = 3
SIDE = 68
MIRROR = 30 + (SIDE - 64) // 2
"""The column between conv1's cells 13 and 14, which are in one window of pool1; 2 are cropped."""


def write_images(workspace: Workspace) -> None:
    """White squares with a coloured blot over the mirror."""
    (workspace.root / "photos").mkdir()
    rows = []
    for number in range(IMAGES):
        pixels = np.full((SIDE, SIDE, 3), 255, np.uint8)
        chance, reach = np.random.default_rng(number), 8 + number % 5
        blot = chance.integers(0, 256, (30, reach + 1, 3), dtype=np.uint8)
        top = 10 + number % 20
        pixels[top : top + 30, MIRROR : MIRROR + reach + 1] = blot
        pixels[top : top + 30, MIRROR - reach : MIRROR + 1] = blot[:, ::-1]
        path = workspace.root / "photos" / f"{number:02}.png"
        Image.fromarray(pixels).save(path)
        label = CLASSES[number % 3]
        rows.append(ImageRow("val", path.name, label, SIDE, SIDE, sha256_of(path)))
    train = [ImageRow("train", row.path, row.label, SIDE, SIDE, row.sha256) for row in rows]
    write_listing(workspace, [*rows, *train])


def run(workspace: Workspace, stage: str, *options: str) -> None:
    result = CliRunner().invoke(main, [stage, "-w", str(workspace.root), *options])
    assert result.exit_code == 0, result.output


@pytest.fixture(scope="module")
def scanned(tmp_path_factory) -> Workspace:
    here = Workspace(tmp_path_factory.mktemp("mirrored"))
    here.artifacts.mkdir()
    make_model(here.model)
    weights = load_file(here.model / "weights.safetensors")
    weights["conv1.weight"] += weights["conv1.weight"].flip(3)
    save_model(here.model, load_card(here.model), weights)
    write_images(here)
    scan = {"layers": ["conv2", "conv5"], "top": TOP}
    write_params(here.root, {"scan": scan, "project": {"batch_size": 4}})
    run(here, "scan")
    return here


@pytest.fixture(scope="module")
def switches(scanned) -> dict[tuple[str, int, int], tuple[bool, Mapping[int, torch.Tensor]]]:
    """Runs `project`: by address, whether its image ran whole, and its switches by pool."""
    used, find = {}, ForwardPlan.switches

    def recorded(self, layer, found, batch, images, maps):
        result = find(self, layer, found, batch, images, maps)
        for position, entry in enumerate(batch.tolist()):
            own = {at: offsets[position] for at, offsets in result.items()}
            address = layer, int(found.channel[entry]), int(found.rank[entry])
            used.setdefault(address, (int(found.image[entry]) in maps, own))  # the control's after
        return result

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ForwardPlan, "switches", recorded)
        run(scanned, "project")
    run(scanned, "crop")
    return used


def test_recall_repeats_the_switches_of_the_run_to_the_bit(scanned, switches):
    done = open_atlas(scanned.artifacts)
    replay = SwitchReplay(config_of(done), done.records, done.images, torch.device("cpu"))
    assert {whole for whole, _ in switches.values()} == {True, False}
    for address, (_, expected) in switches.items():
        again = {at: offsets for at, (_, offsets) in replay(*address).items()}
        assert again.keys() == expected.keys()
        assert all(torch.equal(again[at], expected[at]) for at in again)


def verified(workspace: Workspace, status: int) -> dict[str, int]:
    options = ("-w", str(workspace.root), "--entries", "70", "--seed", "1")
    assert CliRunner().invoke(main, ["verify", *options]).exit_code == status
    return json.loads(workspace.report("verify.json").read_text())


def test_verify_counts_ties_apart_and_finds_nothing_wrong(scanned, switches):
    report = verified(scanned, 0)
    assert report["tied"] > 20
    assert report["agreed"] > 0
    assert report["wrong"] == report["faults"] == 0


def test_a_wrong_picture_is_found_where_there_are_ties_too(scanned, switches, tmp_path):
    shutil.copytree(scanned.root, tmp_path / "run")
    copy = Workspace(tmp_path / "run")
    pictures = zarr.open_array(copy.projections / "conv5" / "projection", mode="r+")
    pictures[...] = -pictures[...]
    report = verified(copy, 1)
    assert report["wrong"] == report["layers"]["conv5"]["entries"] > 0
    assert report["layers"]["conv2"]["wrong"] == 0
