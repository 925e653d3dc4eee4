from dataclasses import replace

import numpy as np
import pytest
import torch

from pipeline.atlas import open_atlas
from pipeline.errors import AtlasError
from pipeline.figures.occlusion_figure import Occlusion, under_square
from pipeline.figures.projection import project_unit
from pipeline.figures.subjects import subjects
from pipeline.verify.reference import Reference
from tests.figure_making import made
from tests.finished_scan import finished_scan
from tests.workspaces import write_params


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    workspace = finished_scan(tmp_path_factory.mktemp("occlusion") / "run")
    photos = {"root": str(workspace.root / "photos")}
    write_params(
        workspace.root,
        {"data": photos, "figures": {"images": [3, 8], "occlusion": OCCLUSION}},
    )
    return open_atlas(workspace.artifacts)


OCCLUSION = {"side": 20, "stride": 11, "value": 7}


def changed(run, **sections):
    """The run with these sections of parameters."""
    write_params(
        run.workspace.root, {"data": {"root": str(run.workspace.root / "photos")}} | sections
    )
    return open_atlas(run.artifacts)


def test_every_number_is_that_of_the_masked_image_and_the_projection_the_references(run, tmp_path):
    figure = made(Occlusion(), run, tmp_path)
    rows, cols = figure.facts["corner_rows"], figure.facts["corner_cols"]
    assert rows == cols == [0, 11, 22, 33, 44]
    reference = Reference(run.graph, dict(run.model().named_parameters()))
    for at, fact in enumerate(figure.facts["images"]):
        pixels, label = run.image(fact["row"]), run.card.classes.index(fact["label"])
        assert (figure.arrays["image"][at] == pixels).all()
        for down, across in ((0, 0), (2, 4), (4, 4)):
            masked = pixels.copy()
            masked[rows[down] : rows[down] + 20, cols[across] : cols[across] + 20] = 7
            inputs = run.loaded_model.normalisation(torch.tensor(masked).permute(2, 0, 1)[None])
            scores = run.model()(inputs).softmax(dim=1)[0]
            maps = run.model().activations(inputs, ["conv5"])["conv5"][0, fact["channel"]]
            assert figure.arrays["probability"][at, down, across] == pytest.approx(
                float(scores[label]), rel=1e-4
            )
            assert figure.arrays["activation"][at, down, across] == pytest.approx(
                float(maps.sum()), rel=1e-4, abs=1e-5
            )
            assert figure.arrays["predicted"][at, down, across] == int(scores.argmax())
        plain = run.model().activations(run.input(fact["row"])[None], ["conv5"])["conv5"][0]
        assert fact["channel"] == int(plain.sum(dim=(1, 2)).argmax())
        cell = np.unravel_index(int(plain[fact["channel"]].argmax()), plain.shape[1:])
        unit = (fact["channel"], int(cell[0]), int(cell[1]))
        image = run.input(fact["row"]).double()
        expected = reference(image, ["conv5"]).project("conv5", unit, float(plain[unit])).numpy()
        found = figure.arrays["projection"][at].astype(np.float64)
        found *= np.abs(expected).max()
        assert np.linalg.norm(found - expected) <= 2e-3 * np.linalg.norm(expected)


def test_a_projection_at_the_edge_of_the_image_is_at_its_place(run):
    """conv2 sees 27 pixels; its first cell's box begins in the corner of the image."""
    picture = project_unit(run.model(), run.input(3)[None], "conv2", 0, (0, 1), 1.0, "deconvnet")
    assert picture.shape == (64, 64, 3)
    rows, cols = np.nonzero(picture.any(axis=2))
    assert rows.max() < 27
    assert cols.min() >= 8
    assert cols.max() < 35


def test_the_sum_under_a_square_is_counted_by_hand():
    energy = np.arange(30.0).reshape(5, 6)
    found = under_square(energy, np.array([0, 3]), np.array([0, 2, 4]), 2)
    assert found.tolist() == [[14.0, 22.0, 30.0], [86.0, 94.0, 102.0]]


def test_an_image_without_a_class_is_followed_by_the_class_it_is_given(run, tmp_path, monkeypatch):
    chosen = tuple(replace(one, label=None) for one in subjects(run))
    monkeypatch.setattr("pipeline.figures.occlusion_figure.subjects", lambda run: chosen)
    figure = made(Occlusion(), run, tmp_path)
    assert [fact["followed"] for fact in figure.facts["images"]] == [
        fact["predicted"] for fact in figure.facts["images"]
    ]


def test_a_square_larger_than_the_input_is_reported(run):
    larger = changed(run, figures={"occlusion": {**OCCLUSION, "side": 65}})
    assert "65 pixels is larger than the input of 64 × 64" in Occlusion().missing(larger)


def test_the_projection_is_by_the_method_of_the_parameters(run, tmp_path):
    figures = {"images": [3], "occlusion": {**OCCLUSION, "stride": 44}}
    asked = changed(run, figures=figures, project={"method": "gradient"})
    figure = made(Occlusion(), asked, tmp_path)
    weights = dict(run.model().named_parameters())
    passed = Reference(run.graph, weights, {"conv5": "gradient"})(run.input(3).double(), ["conv5"])
    maps, channel = passed.maps("conv5"), figure.facts["images"][0]["channel"]
    row, col = divmod(int(maps[channel].argmax()), maps.shape[2])
    expected = passed.project("conv5", (channel, row, col), 1.0).numpy()
    found = figure.arrays["projection"][0].astype(np.float64) * np.abs(expected).max()
    assert figure.facts["method"] == "gradient"
    assert np.linalg.norm(found - expected) <= 2e-3 * np.linalg.norm(expected)


def test_a_method_that_does_not_fit_the_layer_is_a_sentence(run, monkeypatch):
    monkeypatch.setattr("pipeline.figures.occlusion_figure.method_of", refusing)
    assert Occlusion().missing(run) == "A deconvnet cannot pass the silu. Take another."


def refusing(*_):
    raise AtlasError("A deconvnet cannot pass the silu.", fix="Take another.")


def test_the_bound_of_activations_rules_out_only_networks_with_a_response_norm(run, monkeypatch):
    module = "pipeline.figures.occlusion_figure"
    monkeypatch.setattr(f"{module}.is_overflow_safe", lambda *_: False)
    assert "overflow" in Occlusion().missing(run)
    monkeypatch.setattr(f"{module}.LocalResponseNorm", str)  # no operation is one
    assert Occlusion().missing(run) == ""
