import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision.transforms.v2 import functional

from pipeline.dataset.framing import centre_square
from pipeline.dataset.images import load_image
from pipeline.dataset.manifest import ImageRow, read_manifest
from pipeline.dataset.store import FolderStore, open_images
from pipeline.errors import AtlasError
from pipeline.evaluation.evaluate import Evaluation, evaluate
from pipeline.network.card import Origin
from pipeline.network.model import Model, load_model
from pipeline.progress import no_progress
from pipeline.scan.forward import Forward
from pipeline.training.artifacts import write_model
from tests.pipeline.training.tiny import make_workspace, task, trained

CPU = torch.device("cpu")


@dataclass(frozen=True)
class World:
    root: Path
    model: Model
    rows: tuple[ImageRow, ...]

    def evaluate(self, ten: bool = True, advance=no_progress) -> Evaluation:
        images = open_images(self.root / "images")
        return evaluate(
            self.model, images, self.rows, ten=ten, device=CPU, threads=2, advance=advance
        )

    def probabilities(self, crops: torch.Tensor) -> np.ndarray:
        """The network's own, by its plain forward pass."""
        return self.model.network(self.model.normalisation(crops)).softmax(dim=1).numpy()


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> World:
    root = make_workspace(tmp_path_factory.mktemp("evaluate"), epochs=1)
    write_model(root / "model", task(root), trained(root), root / "none")
    rows = read_manifest(root / "artifacts" / "manifest.csv").split("val")
    return World(root, load_model(root / "model"), rows)


def test_probabilities_are_those_of_the_plain_forward_pass_on_torchvisions_ten_crops(world):
    counted = []
    result = world.evaluate(advance=counted.append)
    assert sum(counted) == len(world.rows) == 12
    one, ten = [], []
    for row in world.rows:
        image = load_image((world.root / "images" / row.path).read_bytes())
        wide = torch.tensor(centre_square(image, 72, 72)).permute(2, 0, 1)
        crops = torch.stack(functional.ten_crop(wide, [64, 64]))
        own = torch.tensor(centre_square(image, 72, 64)).permute(2, 0, 1)[None]
        one.append(world.probabilities(own)[0])
        ten.append(world.probabilities(crops).mean(axis=0))
    np.testing.assert_allclose(result.one_crop, one, atol=1e-5, rtol=0)
    np.testing.assert_allclose(result.ten_crops, ten, atol=1e-5, rtol=0)
    assert np.abs(result.ten_crops - result.one_crop).max() > 1e-4, "crops that differ"


def test_without_ten_crops_the_network_input_alone_is_classified(world):
    result = world.evaluate(ten=False)
    assert result.ten_crops is None
    np.testing.assert_allclose(result.one_crop, world.evaluate().one_crop, atol=1e-6)
    assert result.rates().top1_error_10crop is None


def test_every_image_is_read_once(world, monkeypatch):
    reads = []
    read = FolderStore.read
    monkeypatch.setattr(FolderStore, "read", lambda s, key: reads.append(key) or read(s, key))
    world.evaluate()
    assert sorted(reads) == [row.key for row in world.rows]


def test_no_image_is_an_error(world):
    with pytest.raises(AtlasError, match="no validation image"):
        World(world.root, world.model, ()).evaluate()


def test_a_class_that_the_network_does_not_have_is_an_error(world):
    stranger = ImageRow("val", "a.jpg", "okapi", 1, 1, "")
    with pytest.raises(AtlasError, match="okapi"):
        World(world.root, world.model, (*world.rows, stranger)).evaluate()


def test_images_without_classes_are_classified_without_error_rates(world):
    labelled = world.evaluate(ten=False)
    unlabelled = tuple(replace(row, label="") for row in world.rows)
    result = World(world.root, world.model, unlabelled).evaluate(ten=False)
    np.testing.assert_array_equal(result.one_crop, labelled.one_crop)
    rates = result.rates()
    assert (rates.images, rates.top1_error, rates.top5_error) == (0, None, None)
    with pytest.raises(AtlasError, match=f"1 images have no class, e.g. '{world.rows[0].path}'"):
        World(world.root, world.model, (unlabelled[0], *world.rows[1:])).evaluate()


def test_a_network_without_classes_does_not_run_and_has_no_error_rates(world, monkeypatch):
    monkeypatch.setattr(Forward, "run", lambda *_: pytest.fail("it ran"))
    origin = Origin(
        arguments={}, versions={}, sources={}, values_agree_to=0, projections_agree_to=0
    )
    card = world.model.card.model_copy(update={"classes": (), "origin": origin})
    counted = []
    result = World(world.root, replace(world.model, card=card), world.rows).evaluate(
        advance=counted.append
    )
    assert result.one_crop.shape == result.ten_crops.shape == (12, 0)
    assert (result.rates().images, result.rates().top1_error) == (0, None)
    assert sum(counted) == 12


def test_an_image_that_is_not_the_one_listed_is_an_error(world, tmp_path):
    images = shutil.copytree(world.root / "images", tmp_path / "images")
    other = (images / world.rows[4].path).read_bytes()
    (images / world.rows[3].path).write_bytes(other)
    with pytest.raises(AtlasError, match="not the file that the manifest lists"):
        World(tmp_path, world.model, world.rows).evaluate()


def test_views_that_a_gpu_has_no_memory_for_are_classified_in_halves(world, monkeypatch):
    expected, enter = world.evaluate(), Forward._enter

    def out_of_memory(self: Forward, squares: list[np.ndarray]) -> torch.Tensor:
        if len(squares) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return enter(self, squares)

    monkeypatch.setattr(Forward, "_enter", out_of_memory)
    found = world.evaluate()
    np.testing.assert_allclose(found.one_crop, expected.one_crop, rtol=1e-5)
    np.testing.assert_allclose(found.ten_crops, expected.ten_crops, rtol=1e-5)
