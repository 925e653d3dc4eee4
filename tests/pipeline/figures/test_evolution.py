import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from pipeline.atlas import open_atlas
from pipeline.figures.evolution import Evolution, followed, shown_rows
from pipeline.network.card import snapshot_path
from pipeline.network.model import load_model
from tests.figure_making import Here, made
from tests.finished_scan import CROP, RESIZE, finished_scan
from tests.squares import load_square

LAYERS = ("conv1", "conv2", "conv5")
PLANTED = {0: (0, 1), 1: (0, 1), 4: (1, 2), 9: (1, 2)}
"""By epoch, the colours that conv1 compares: at the middle of its filters, the first minus the
second."""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Weights of conv1 that are planted, all others drawn again for every epoch."""
    workspace = finished_scan(tmp_path_factory.mktemp("evolution") / "run", LAYERS)
    weights = dict(load_model(workspace.model).network.state_dict())
    for epoch, (plus, minus) in PLANTED.items():
        chance = torch.Generator().manual_seed(epoch)
        drawn = {
            name: values * torch.randn(values.shape, generator=chance).sign()
            for name, values in weights.items()
        }
        drawn["conv1.weight"] = torch.zeros_like(weights["conv1.weight"])
        drawn["conv1.weight"][:, plus, 3, 3] = 1
        drawn["conv1.weight"][:, minus, 3, 3] = -1
        path = snapshot_path(workspace.model, epoch)
        path.parent.mkdir(exist_ok=True)
        save_file(drawn, path)
    return open_atlas(workspace.artifacts)


@pytest.fixture(scope="module")
def figure(run, tmp_path_factory):
    return made(Evolution(), run, tmp_path_factory.mktemp("kept") / "evolution")


def layer_facts(figure, layer):
    return next(one for one in figure.facts["layers"] if one["layer"] == layer)


def photos(run):
    rows = run.manifest.split("train")
    return np.stack(
        [load_square(run.workspace.root / "photos" / r.path, RESIZE, CROP) for r in rows]
    )


def test_the_planted_winner_is_that_of_the_pixels_and_changes_when_its_filter_does(run, figure):
    pixels = photos(run).astype(int)[:, 3:62:2, 3:62:2]  # 30 windows of 7, stride 2
    expected = {}
    for epoch, (plus, minus) in PLANTED.items():
        peaks = (pixels[..., plus] - pixels[..., minus]).reshape(len(pixels), -1).max(axis=1)
        expected[epoch] = (int(peaks.argmax()), 0.02 * peaks.max())
    assert expected[1][0] != expected[4][0]  # else nothing is tested
    found = layer_facts(figure, "conv1")
    assert figure.facts["epochs"] == list(PLANTED)
    for image, activation in zip(found["image"], found["activation"], strict=True):
        assert image == [expected[epoch][0] for epoch in PLANTED]
        np.testing.assert_allclose(activation, [expected[e][1] for e in PLANTED], rtol=1e-5)
    assert found["changed"] == [[False, False, True, False]] * len(found["channels"])
    assert found["settled"] == [4] * len(found["channels"])
    assert figure.summary["conv1_median_settled_epoch"] == 4


def test_a_planted_filter_is_its_own_projection(figure):
    for epoch, (plus, minus) in enumerate(PLANTED.values()):
        expected = np.zeros((7, 7, 3))
        expected[3, 3, plus], expected[3, 3, minus] = 1, -1
        for picture in figure.arrays["projection_conv1"][:, epoch]:
            np.testing.assert_array_equal(picture, expected)


def test_the_strongest_are_those_of_all_activations(run, figure):
    images = torch.from_numpy(photos(run)).permute(0, 3, 1, 2)
    assert shown_rows(run) == list(range(len(images)))
    for place, epoch in enumerate(PLANTED):
        model = load_model(run.artifacts / "model", snapshot=epoch)
        maps = model.network.activations(model.normalisation(images), LAYERS)
        for layer in LAYERS:
            found, channels = layer_facts(figure, layer), followed(run)[layer]
            assert found["channels"] == channels
            peaks = maps[layer].flatten(2).amax(dim=2).numpy()[:, channels]
            winners = np.where(peaks.max(axis=0) > 0, peaks.argmax(axis=0), -1)
            assert [image[place] for image in found["image"]] == winners.tolist()
            activation = [one[place] for one in found["activation"]]
            np.testing.assert_allclose(activation, np.maximum(peaks.max(axis=0), 0), rtol=1e-4)


class Interrupted(Here):
    """Fails at its fifth job."""

    def run(self, task, jobs):
        for done in super().run(task, jobs):
            if len(self.done) == 5:
                raise KeyboardInterrupt
            yield done


def test_an_interrupted_figure_resumes_and_is_the_same(run, figure, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        made(Evolution(), run, tmp_path, Interrupted())
    whole, rest = Here(), Here()
    again = made(Evolution(), run, tmp_path, rest)
    made(Evolution(), run, tmp_path / "other", whole)
    assert len(rest.done) == len(whole.done) - 4
    assert again.facts == figure.facts
    for name, values in figure.arrays.items():
        np.testing.assert_array_equal(values, again.arrays[name])


def test_fewer_images_are_drawn_by_the_seed(run, tmp_path):
    params = run.params.figures.model_copy(
        update={"evolution": run.params.figures.evolution.model_copy(update={"images": 5})}
    )
    few = open_atlas(run.artifacts)
    few.__dict__["params"] = run.params.model_copy(update={"figures": params})
    rows = shown_rows(few)
    assert len(set(rows)) == 5
    found = made(Evolution(), few, tmp_path)
    for layer in found.facts["layers"]:
        assert {row for image in layer["image"] for row in image} <= {-1, *rows}
    assert {int(row) for row in found.facts["images"]} <= set(rows)


def test_a_network_without_snapshots_says_why_not(tmp_path):
    workspace = finished_scan(tmp_path / "run", ("conv1",))
    assert "fewer than two snapshots" in Evolution().missing(open_atlas(workspace.artifacts))
