import numpy as np
import pytest

from atlas_site.figure_pages.invariance import InvariancePage
from atlas_site.figure_pages.plot import HEIGHT, WIDTH
from pipeline.atlas import FigureData
from tests.atlas_site.bare_run import bare_catalogue, bare_run

PAGE = InvariancePage()
KINDS = {"translation": [-4.0, 0.0, 4.0], "scale": [1.0, 1.5, 2.0]}
IMAGES = [
    {"row": 3, "followed": "ant"},
    {"row": 9, "followed": "bee"},
    {"row": 5, "followed": "bee"},
]
FIGURE = FigureData(
    {
        "layers": ["conv1", "fc7"],
        "between_images": [2.0, 4.0],
        "images": IMAGES,
        "transforms": [
            {"kind": kind, "amounts": amounts, "unit": "px"} for kind, amounts in KINDS.items()
        ],
    },
    {
        f"{name}_{kind}": values
        for kind in KINDS
        for name, values in {
            "distance": np.arange(18, dtype=np.float32).reshape(3, 2, 3),
            "probability": np.full((3, 3), 0.5, np.float32),
            "picture": np.zeros((3, 3, 16, 16, 3), np.uint8),
        }.items()
    },
    {
        f"{kind}_{number}": 0.25
        for kind in KINDS
        for number in ("distance_first_layer", "distance_last_layer", "probability")
    },
)


@pytest.fixture
def groups(tmp_path):
    return PAGE.context(bare_catalogue(tmp_path), FIGURE)["groups"]


def test_the_untransformed_picture_is_shown_beside_the_curves(groups):
    translation, scale = groups
    assert (translation.start, scale.start) == (1, 0)
    assert translation.images[2].region.src == "figures/invariance/translation-2.webp"
    assert (translation.images[2].region.x, scale.images[0].region.x) == (1, 0)


def test_images_of_one_class_are_distinguished_by_their_rows(groups):
    assert [image.name for image in groups[0].images] == ["ant", "bee (9)", "bee (5)"]


def test_curves_are_compared_with_the_distance_of_other_images(groups):
    first, last, probability = groups[0].plots
    assert first.title == "Distance in conv1"
    highest = 14 * 1.05  # the largest distance in the first layer
    assert first.rules[0].at == pytest.approx(HEIGHT * (1 - 2 / highest), abs=0.06)
    assert last.title == "Distance in fc7"
    assert probability.rules == ()
    middle = f"0.0,{HEIGHT / 2} {WIDTH / 2},{HEIGHT / 2} {float(WIDTH)},{HEIGHT / 2}"
    assert [curve.points for curve in probability.curves] == [middle] * 3


def test_there_is_a_file_for_each_image_and_transformation(tmp_path):
    names = [name for name, _ in PAGE.pictures(bare_run(tmp_path), FIGURE)]
    assert names == [f"{kind}-{n}.webp" for kind in KINDS for n in range(3)]
    grids = PAGE.grids(FIGURE)
    assert {name: (grid.columns, grid.rows) for name, grid in grids.items()} == {
        "moved-translation": (3, 1),
        "moved-scale": (3, 1),
    }


def test_the_script_reads_both_layers_distances(tmp_path):
    data = PAGE.data(bare_run(tmp_path), FIGURE)
    assert data["translation"]["first"] == [[0, 1, 2], [6, 7, 8], [12, 13, 14]]
    assert data["translation"]["last"][0] == [3, 4, 5]
    assert data["scale"]["amounts"] == [1.0, 1.5, 2.0]
