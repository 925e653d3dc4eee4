import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pipeline.atlas import open_atlas
from pipeline.dataset.manifest import ImageRow
from pipeline.dataset.store import open_images
from pipeline.figures.invariance import Invariance, InvarianceJob, follow
from pipeline.figures.subjects import RunAccess, Subject, subjects
from pipeline.figures.transforms import transforms
from pipeline.network.card import ModelCard
from pipeline.network.graph import Graph, Node
from pipeline.network.model import save_model
from pipeline.network.ops import Conv, Curve, Input, Linear, Resample
from pipeline.network.window import square
from pipeline.storage.hashing import sha256_of
from tests.figure_making import Here, made
from tests.finished_scan import CROP, RESIZE, finished_scan
from tests.pipeline.figures.networks import drawn
from tests.squares import load_square


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    workspace = finished_scan(tmp_path_factory.mktemp("invariance") / "run")
    return open_atlas(workspace.artifacts)


def test_the_untransformed_image_has_distance_0_and_its_own_probability(run, tmp_path):
    figure = made(Invariance(), run, tmp_path)
    for place, image in enumerate(figure.facts["images"]):
        for one in figure.facts["transforms"]:
            at = one["amounts"].index(1.0 if one["kind"] == "scale" else 0.0)
            np.testing.assert_allclose(
                figure.arrays[f"distance_{one['kind']}"][place, :, at], 0, atol=1e-5
            )
            found = figure.arrays[f"probability_{one['kind']}"][place, at]
            assert found == pytest.approx(image["probability"], rel=1e-4)


def test_distances_and_probabilities_are_those_of_the_moved_picture(run, tmp_path):
    """The shift done by NumPy on the picture that is larger than the input."""
    figure = made(Invariance(), run, tmp_path)
    image, model = figure.facts["images"][0], run.loaded_model
    photo = run.workspace.root / "photos" / image["path"]
    wide = load_square(photo, RESIZE, RESIZE)
    edge = (RESIZE - CROP) // 2
    amounts = figure.facts["transforms"][0]["amounts"]
    at = 1
    down = int(amounts[at])
    moved = np.full_like(wide, 120)
    rows = slice(max(0, down), RESIZE + min(0, down))
    moved[rows] = wide[slice(max(0, -down), RESIZE - max(0, down))]
    plain, shifted = (
        model.normalisation(
            torch.tensor(one[edge : edge + CROP, edge : edge + CROP]).permute(2, 0, 1)[None]
        )
        for one in (wide, moved)
    )
    for place, layer in enumerate(("conv1", "fc7")):
        before, after = (
            model.network.activations(one, [layer])[layer].double() for one in (plain, shifted)
        )
        expected = float((after - before).norm() / before.norm())
        found = figure.arrays["distance_translation"][0, place, at]
        assert found == pytest.approx(expected, rel=1e-4)
    label = run.card.classes.index(image["followed"])
    expected = float(model.network(shifted).softmax(dim=1)[0, label])
    assert figure.arrays["probability_translation"][0, at] == pytest.approx(expected, rel=1e-4)


def translation_invariant(folder: Path) -> RunAccess:
    """A model that looks at pixels one by one and takes the mean, and one image: a square on the
    colour that comes in from outside."""
    nodes = (
        Node(Input(), (), (3, 32, 32)),
        Node(Conv(square(1), "a.weight", "a.bias"), (0,), (6, 32, 32), "a"),
        Node(Curve("relu"), (1,), (6, 32, 32), "a"),
        Node(Resample("mean"), (2,), (6, 1, 1), "mean"),
        Node(Linear("b.weight", "b.bias"), (3,), (5, 1, 1), "b"),
        Node(Curve("relu"), (4,), (5, 1, 1), "b"),
        Node(Linear("c.weight", "c.bias"), (5,), (2, 1, 1), "c"),
    )
    network = drawn(Graph(nodes, 6))
    card = ModelCard(
        arch="tests:mean",
        classes=("one", "two"),
        resize=48,
        crop=32,
        mean=(120.0, 120.0, 120.0),
        scale=0.02,
        seed=0,
        epochs_trained=0,
        weights_sha256="",
        manifest_sha256="",
    )
    (folder / "model").mkdir(parents=True)
    (folder / "photos").mkdir()
    card = save_model(folder / "model", card, dict(network.state_dict()), network.graph)
    pixels = np.full((48, 48, 3), 120, np.uint8)
    pixels[20:27, 18:25] = np.random.default_rng(0).integers(0, 256, (7, 7, 3))
    Image.fromarray(pixels).save(folder / "photos" / "a.png")
    return RunAccess(folder / "model", card.sha256, open_images(str(folder / "photos")))


def test_a_translation_invariant_network_has_distance_0(tmp_path):
    source = translation_invariant(tmp_path)
    photo = tmp_path / "photos" / "a.png"
    subject = Subject(0, ImageRow("val", "a.png", "one", 48, 48, sha256_of(photo)), 0)
    moved = transforms(translation_px=8, largest_scale=1.5, steps=4)[:1]
    found = follow(InvarianceJob(source, subject, ("a", "b"), moved), torch.device("cpu"))
    first, last = found["distance_translation"]
    np.testing.assert_allclose(last, 0, atol=1e-6)
    assert (np.delete(first, 4) > 0.01).all()  # the square itself has moved
    np.testing.assert_allclose(found["probability_translation"], found["unchanged"], rtol=1e-6)


def test_half_done_work_is_not_done_again(run, tmp_path):
    first, again = Here(), Here()
    before = made(Invariance(), run, tmp_path, first)
    assert len(first.done) == len(subjects(run))
    (kept,) = tmp_path.glob(f"image_{subjects(run)[0].row}.*")
    kept.unlink()
    after = made(Invariance(), run, tmp_path, again)
    assert again.done == [first.done[0]]
    assert json.dumps(before.facts) == json.dumps(after.facts)
    for name, values in before.arrays.items():
        assert np.array_equal(values, after.arrays[name])
