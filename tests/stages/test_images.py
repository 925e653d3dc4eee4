"""Images that `prepare` drew or downloaded are made again wherever they are missing."""

import shutil

import pytest
import torchvision.datasets
from PIL import Image

from pipeline.workspace import Workspace
from stages.images import fetch_missing
from tests.layouts import files_of
from tests.workspaces import write_params

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """A workspace with the whole demo, small."""
    folder = tmp_path_factory.mktemp("drawn")
    sizes = {"train_per_class": 1, "val_per_class": 1}
    write_params(folder, {"data": {"source": "demo", "root": "data/demo"} | sizes})
    fetch_missing(Workspace(folder))
    return folder


def test_a_drawing_that_was_stopped_half_way_is_finished(drawn, tmp_path):
    clone = tmp_path / "clone"
    shutil.copytree(drawn, clone)
    pictures = sorted((clone / "data/demo").rglob("*.jpg"))
    assert len(pictures) == 32
    for path in pictures[1::2]:
        path.unlink()
    (clone / "data/demo/parts.csv").unlink()
    fetch_missing(Workspace(clone))
    assert files_of(clone / "data/demo") == files_of(drawn / "data/demo")


def test_where_all_are_there_nothing_is_written_or_shown(drawn, capsys):
    before = {path: path.stat().st_mtime_ns for path in drawn.rglob("*")}
    fetch_missing(Workspace(drawn))
    assert {path: path.stat().st_mtime_ns for path in drawn.rglob("*")} == before
    assert capsys.readouterr().err == ""


class Small:
    """A data set as torchvision gives it, of two pictures."""

    classes = ("0 - zero", "1 - one")

    def __init__(self, root, train, download):
        if not download:
            raise RuntimeError("Dataset not found")

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return Image.new("L", (28, 28), 100 * index), index


def test_a_data_set_is_fetched_into_a_folder_that_holds_others(drawn, tmp_path, monkeypatch):
    monkeypatch.setattr(torchvision.datasets, "MNIST", Small)
    clone = tmp_path / "clone"
    shutil.copytree(drawn, clone)
    write_params(clone, {"data": {"source": "mnist", "root": "data"}})
    fetch_missing(Workspace(clone))
    assert sorted(path.name for path in (clone / "data/mnist").iterdir()) == [
        "train.tar",
        "val.tar",
    ]
    assert files_of(clone / "data/demo") == files_of(drawn / "data/demo")
