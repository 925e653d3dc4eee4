"""Which images the figures look at, of a run whose parts are put in by hand."""

import pytest

from pipeline.atlas import Run
from pipeline.dataset.manifest import ImageRow, sorted_manifest
from pipeline.errors import AtlasError
from pipeline.figures.subjects import subject_facts, subjects
from pipeline.network.card import ModelCard
from pipeline.params import load_params
from pipeline.workspace import Workspace
from tests.workspaces import write_params

LABELS = ("ant", "bee", "bee", "cow", "cow", "cow", "whale")


def run(folder, images, labels=LABELS, seed=0):
    write_params(folder, {"figures": {"images": images}})
    made = Run(Workspace(folder), folder / "artifacts")
    rows = [ImageRow("val", f"{n}.png", label, 9, 9, "") for n, label in enumerate(labels)]
    card = ModelCard(
        arch="zfnet",
        width=0.1,
        classes=("ant", "bee", "cow"),
        resize=72,
        crop=64,
        mean=(0.0, 0.0, 0.0),
        scale=1.0,
        seed=0,
        epochs_trained=0,
        weights_sha256="",
        manifest_sha256="",
    )
    params = load_params(folder / "params.yaml").model_copy(update={"seed": seed})
    vars(made).update(card=card, manifest=sorted_manifest(rows), params=params)
    return made


def test_each_is_of_another_class_that_the_network_scores(tmp_path):
    drawn = set()
    for seed in range(12):
        found = subjects(run(tmp_path, 3, seed=seed))
        assert [one.image.label for one in found] == ["ant", "bee", "cow"]
        assert [one.label for one in found] == [0, 1, 2]
        assert [one.image.path for one in found] == [f"{one.row}.png" for one in found]
        drawn.add(tuple(one.row for one in found))
    assert len(drawn) > 2
    assert subjects(run(tmp_path, 3, seed=5)) == subjects(run(tmp_path, 3, seed=5))


def test_fewer_or_more_than_there_are_classes(tmp_path):
    assert len(subjects(run(tmp_path, 2))) == 2
    assert len(subjects(run(tmp_path, 50))) == 3


def test_where_no_class_is_scored_any_are_drawn(tmp_path):
    found = subjects(run(tmp_path, 2, ("whale", "seal", "whale")))
    assert len({one.row for one in found}) == 2
    assert [one.label for one in found] == [None, None]


def test_rows_that_are_named_are_taken_and_one_that_there_is_not_is_refused(tmp_path):
    assert [one.row for one in subjects(run(tmp_path, [6, 0]))] == [6, 0]
    with pytest.raises(AtlasError, match="names row 7, but there are 7 validation images"):
        subjects(run(tmp_path, [0, 7]))


def test_the_facts_of_an_image_name_classes(tmp_path):
    made = run(tmp_path, [6])
    (whale,) = subjects(made)
    assert subject_facts(made, whale, followed=1, predicted=2, probability=0.5) == {
        "row": 6,
        "path": "6.png",
        "label": "whale",
        "followed": "bee",
        "predicted": "cow",
        "probability": 0.5,
    }
