"""Every figure on every kind of network: made, or one sentence."""

import shutil
from typing import get_args

import numpy as np
import pytest

from pipeline.atlas import Run
from pipeline.figures.registry import FIGURES
from pipeline.network.card import ModelCard
from pipeline.network.graph import Graph, Node
from pipeline.network.model import save_model
from pipeline.network.ops import Add, BatchNorm, Conv, Curve, Input, Linear, MaxPool, Resample
from pipeline.network.window import square
from pipeline.params.figures import FigureName
from pipeline.storage.hashing import sha256_of
from pipeline.storage.provenance import Provenance
from pipeline.storage.stores import create_store, seal
from tests.figure_making import made
from tests.finished_scan import CLASSES, CROP, RESIZE, finished_scan
from tests.pipeline.figures.networks import drawn
from tests.workspaces import write_params

INPUT = Node(Input(), (), (3, CROP, CROP))
STRIDED = Node(Conv(square(4, 4), "a.weight", "a.bias"), (0,), (5, 16, 16), "a")
RECTIFIED = Node(Curve("relu"), (1,), (5, 16, 16), "a")


def linear(name: str, below: int) -> Node:
    return Node(Linear(f"{name}.weight", f"{name}.bias"), (below,), (2, 1, 1), name)


def mean(below: int, channels: int = 5) -> Node:
    return Node(Resample("mean"), (below,), (channels, 1, 1), "mean")


NORM = BatchNorm("n.mean", "n.variance", "n.weight", "n.bias", 1e-5)
GRAPHS = {
    "without max pools": (INPUT, STRIDED, RECTIFIED, mean(2), linear("c", 3)),
    "without fully connected layers": (
        INPUT,
        STRIDED,
        RECTIFIED,
        Node(MaxPool(square(2, 2)), (2,), (5, 8, 8), "pool"),
        Node(Conv(square(1), "b.weight"), (3,), (2, 8, 8), "b"),
        mean(4, 2),
    ),
    "with a sum and a norm": (
        INPUT,
        STRIDED,
        RECTIFIED,
        Node(Conv(square(3, 1, 1), "b.weight"), (2,), (5, 16, 16), "b"),
        Node(NORM, (3,), (5, 16, 16), "n"),
        Node(Add(), (2, 4), (5, 16, 16), "sum"),
        Node(Curve("silu"), (5,), (5, 16, 16), "sum"),
        mean(6),
        linear("c", 7),
    ),
    "of fully connected layers alone": (
        INPUT,
        Node(Linear("a.weight", "a.bias"), (0,), (6, 1, 1), "a"),
        Node(Curve("relu"), (1,), (6, 1, 1), "a"),
        linear("c", 2),
    ),
    "without class scores": (
        INPUT,
        STRIDED,
        RECTIFIED,
        Node(Conv(square(1), "b.weight"), (2,), (2, 16, 16), "b"),
    ),
    "of one layer": (INPUT, linear("c", 0)),
}
MADE = {
    "without max pools": {"architecture", "invariance", "occlusion", "correspondence"},
    "without fully connected layers": {"architecture", "invariance", "occlusion", "correspondence"},
    "with a sum and a norm": {"architecture", "invariance", "occlusion", "correspondence"},
    "of fully connected layers alone": {"invariance", "correspondence"},
    "without class scores": {"architecture", "correspondence"},
    "of one layer": set(),
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    workspace = finished_scan(tmp_path_factory.mktemp("networks") / "run", ("conv1",))
    changes = {"side": 16, "stride": 24, "value": 128}
    photos = {"root": str(workspace.root / "photos")}
    write_params(workspace.root, {"data": photos, "figures": {"images": 2, "occlusion": changes}})
    lines = [f"{number:02}.png,eye,40,48" for number in range(14)]
    parts = "\n".join(["path,part,row,col", *lines])
    (workspace.root / "photos" / "parts.csv").write_text(parts)
    return workspace


def run_of(workspace, nodes) -> Run:
    """The run with another network, of which no layer is scanned."""
    network = drawn(Graph(tuple(nodes), len(nodes) - 1))
    weights = {
        name: values.abs() + 0.5 if name == "n.variance" else values
        for name, values in network.state_dict().items()
    }
    card = ModelCard(
        arch="tests:network",
        classes=CLASSES,
        resize=RESIZE,
        crop=CROP,
        mean=(120.0, 120.0, 120.0),
        scale=0.02,
        seed=0,
        epochs_trained=0,
        weights_sha256="",
        manifest_sha256="",
    )
    shutil.rmtree(workspace.model)
    workspace.model.mkdir()
    card = save_model(workspace.model, card, weights, network.graph)
    shutil.rmtree(workspace.scan)
    made_from = Provenance(card.weights_sha256, sha256_of(workspace.manifest), card.sha256)
    seal(create_store(workspace.scan, "scan", made_from))
    return Run(workspace, workspace.artifacts)


@pytest.mark.parametrize("kind", GRAPHS)
def test_a_figure_is_made_or_says_in_a_sentence_why_not(finished, tmp_path, kind):
    run = run_of(finished, GRAPHS[kind])
    found = {figure.name: made(figure, run, tmp_path / figure.name) for figure in FIGURES}
    assert {name for name, figure in found.items() if figure.facts} == MADE[kind]
    for figure in found.values():
        assert bool(figure.facts) != figure.missing.endswith(".")
        for name, values in figure.arrays.items():
            assert np.isfinite(values.astype(float)).all(), name


def test_every_figure_that_can_be_named_is_in_the_registry_once():
    assert sorted(figure.name for figure in FIGURES) == sorted(get_args(FigureName))
