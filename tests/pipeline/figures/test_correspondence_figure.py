from itertools import combinations

import numpy as np
import pytest
import torch

from pipeline.dataset.manifest import ImageRow
from pipeline.dataset.store import open_images
from pipeline.figures.correspondence_figure import Correspondence, CorrespondenceJob, change
from pipeline.figures.masks import Mask, MaskGroup
from pipeline.figures.subjects import source_of
from tests.figure_making import made
from tests.pipeline.figures.marked_run import run_with_parts


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return run_with_parts(tmp_path_factory.mktemp("correspondence") / "run")


def test_delta_is_that_of_the_formula(run, tmp_path):
    figure = made(Correspondence(), run, tmp_path)
    assert figure.facts["layers"] == ["conv5", "fc7"]
    eye, wing, random = figure.facts["rows"]
    assert (eye["part"], wing["part"], random["part"]) == ("eye", "wing", "")
    for at, layer in enumerate(("conv5", "fc7")):
        signs = []
        for row in eye["rows"]:
            pixels, number = run.image(row), int(run.images[row].path[:2])
            # 96 × 80 becomes 86 × 72, of which 64 × 64 are cut out at row 4, column 11.
            centre = 30 * 72 / 80 - 4, (40 + number) * 86 / 96 - 11
            top, left = (round(value - 9) for value in centre)
            masked = pixels.copy()
            masked[top : top + 18, left : left + 18] = 128
            plain, after = (
                run.model().activations(
                    run.loaded_model.normalisation(torch.tensor(one).permute(2, 0, 1)[None]),
                    [layer],
                )[layer]
                for one in (pixels, masked)
            )
            signs.append(np.sign((plain - after).flatten().numpy()))
        expected = np.mean([np.mean(a != b) for a, b in combinations(signs, 2)])
        assert eye["delta"][at]["mean"] == pytest.approx(expected, abs=1e-3)
        assert eye["delta"][at]["pairs"] == 6
        assert random["delta"][at]["pairs"] == 18


def test_equal_images_with_the_same_part_hidden_have_delta_0(run):
    photo = run.images[0]
    mask = Mask("eye", tuple((at, (20.0, 30.0)) for at in range(3)))
    group = MaskGroup("one", (0, 0, 0), (photo,) * 3, (mask,))
    job = CorrespondenceJob(source_of(run), group, ("conv5", "fc7"), 18, 128)
    found = change(job, torch.device("cpu"))
    for layer in range(2):
        signs = found[f"signs_0_{layer}"]
        assert signs.any()
        assert (signs == signs[0]).all()


def test_a_square_that_changes_no_pixel_changes_no_feature(run):
    """The image is of the square's colour: every sign is 0, to the last bit."""
    from PIL import Image

    from pipeline.storage.hashing import sha256_of

    folder = run.workspace.root / "grey"
    folder.mkdir()
    Image.fromarray(np.full((80, 96, 3), 128, np.uint8)).save(folder / "g.png")
    image = ImageRow("val", "g.png", "one", 96, 80, sha256_of(folder / "g.png"))
    source = source_of(run)
    source = type(source)(source.model, source.model_sha256, open_images(str(folder)))
    group = MaskGroup("one", (0,), (image,), (Mask("eye", ((0, (20.0, 30.0)),)),))
    job = CorrespondenceJob(source, group, ("conv5", "fc7"), 18, 128)
    found = change(job, torch.device("cpu"))
    assert not found["signs_0_0"].any()
    assert not found["signs_0_1"].any()


def test_without_a_list_of_parts_a_sentence_says_so(run):
    (run.workspace.root / "photos" / "parts.csv").unlink()
    assert "no parts.csv" in Correspondence().missing(run)
