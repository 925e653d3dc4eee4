from dataclasses import replace

import pytest

from pipeline.figures import masks
from pipeline.figures.masks import mask_groups
from pipeline.figures.parts import Part
from tests.pipeline.figures.marked_run import run_with_parts


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return run_with_parts(tmp_path_factory.mktemp("masks") / "run")


def test_a_class_takes_part_with_two_images_of_a_part(run):
    (group,) = mask_groups(run)
    assert group.label == "one"
    assert [mask.part for mask in group.masks] == ["eye", "wing", "", "", ""]
    assert {len(mask.places) for mask in group.masks} == {4}
    assert all(group.images[at] == run.images[row] for at, row in enumerate(group.rows))


def test_a_path_may_be_in_another_unicode_form_than_the_manifest(run, monkeypatch):
    composed, decomposed = "cr\u00e8me.png", "cre\u0300me.png"
    images = [replace(image, path=decomposed) for image in run.images[:1]]
    monkeypatch.setattr(type(run), "images", images)
    monkeypatch.setattr(masks, "read_parts", lambda _: (Part(composed, "eye", 40.0, 40.0),))
    assert list(masks._marked(run)) == [0]
