"""`atlas scan`: a store that opens, equal bytes every time, and errors without a traceback."""

from pathlib import Path

import dask
import numpy as np
import pytest
from click.testing import CliRunner

from pipeline.dataset.manifest import ImageRow
from pipeline.network.card import load_card
from pipeline.storage.hashing import sha256_of
from pipeline.storage.provenance import Provenance
from pipeline.storage.stores import open_store, read_scan
from pipeline.workspace import Workspace
from stages.scan import main
from tests.pipeline.scan.worlds import CLASSES, make_world
from tests.workspaces import write_listing, write_params


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    """Twelve images and a model, as `prepare` and `train` would leave them."""
    here = Workspace(tmp_path)
    world = make_world(tmp_path / "made", 12, copies=3)
    here.artifacts.mkdir()
    world.model.rename(here.model)
    world.root.rename(tmp_path / "photos")
    train = [ImageRow("train", f"{name}.png", name, 88, 72, "") for name in CLASSES]
    write_listing(here, [*world.images, *train])
    write_params(tmp_path, {"scan": {"layers": ["conv2", "fc8"], "batch_size": 4}})
    return here


def scan(here: Workspace, *arguments: str):
    return CliRunner().invoke(main, ["-w", str(here.root), *arguments])


def contents(store: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(store)): path.read_bytes()
        for path in sorted(store.rglob("*"))
        if path.is_file()
    }


def test_the_store_says_what_it_was_made_from_and_holds_each_layer(workspace):
    assert scan(workspace).exit_code == 0
    card = load_card(workspace.model)
    made_from = Provenance(card.weights_sha256, sha256_of(workspace.manifest), card.sha256)
    store = open_store(workspace.scan, "scan", made_from)
    assert sorted(name for name, _ in store.groups()) == ["conv2", "fc8"]
    record = read_scan(store, "fc8")
    assert record.histogram.sum(axis=1).tolist() == [12, 12, 12]
    assert (np.diff(record.activation, axis=1) <= 0).all()


def test_two_runs_give_equal_bytes(workspace):
    scan(workspace)
    first = contents(workspace.scan)
    scan(workspace)
    assert contents(workspace.scan) == first


def test_nothing_is_left_of_the_state(workspace):
    scan(workspace)
    left = [path.name for path in workspace.state("scan").iterdir()]
    assert left == ["lock"] or left == []


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--device", "abacus"], "is not a device"),
        (["--device", "cuda:99"], "There is no device"),
        (["--scheduler", "tcp://127.0.0.1:9"], "No Dask scheduler answers"),
    ],
)
def test_a_wrong_option_is_said_in_one_line(workspace, arguments, problem):
    with dask.config.set({"distributed.comm.timeouts.connect": "1s"}):
        done = scan(workspace, *arguments)
    assert done.exit_code == 1
    assert problem in done.stderr
    assert not workspace.scan.exists()


def test_an_image_that_has_gone_is_named_and_no_store_is_left(workspace):
    (workspace.root / "photos" / "0007.png").unlink()
    done = scan(workspace)
    assert done.exit_code == 1
    assert "0007.png" in done.stderr
    assert "Traceback" not in done.stderr
    assert not workspace.scan.exists()


def test_a_manifest_without_validation_images_is_refused(workspace):
    rows = [ImageRow("train", f"{name}.png", name, 88, 72, "") for name in CLASSES]
    write_listing(workspace, rows)
    assert "no validation images" in scan(workspace).stderr
