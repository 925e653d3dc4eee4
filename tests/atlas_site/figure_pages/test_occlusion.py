import io

import numpy as np
import pytest
from PIL import Image

from atlas_site.figure_pages.heat import CLASS_COLOURS, COVER, RAMP
from atlas_site.figure_pages.occlusion import GRID, OcclusionPage
from pipeline.atlas import FigureData
from tests.atlas_site.bare_run import bare_catalogue, bare_run
from tests.atlas_site.plain_layers import layer

PAGE, SIDE = OcclusionPage(), 64
IMAGE = {
    "row": 2,
    "path": "2.png",
    "label": "bee",
    "followed": "bee",
    "predicted": "bee",
    "probability": 0.75,
    "channel": 7,
    "activation": 8.0,
    "agreement": None,
}
FIGURE = FigureData(
    {
        "layer": "conv5",
        "method": "deconvnet",
        "side": 32,
        "corner_rows": [0, 32],
        "corner_cols": [0, 32],
        "images": [IMAGE],
    },
    {
        "image": np.full((1, SIDE, SIDE, 3), 100, np.uint8),
        "activation": np.array([[[0, 2], [4, 6]]], np.float32),
        "probability": np.array([[[0.5, 0.25], [1, 0.75]]], np.float32),
        "predicted": np.array([[[1, 0], [1, 1]]]),
        "projection": np.zeros((1, SIDE, SIDE, 3), np.float32),
    },
)


@pytest.fixture
def subject(tmp_path):
    catalogue = bare_catalogue(tmp_path, layer("conv5", 4, 9, 64))
    (found,) = PAGE.context(catalogue, FIGURE)["subjects"]
    return found


def test_a_subject_names_the_place_where_the_class_is_least_probable(subject):
    assert (subject.least, subject.least_at) == (0.25, (0, 32))
    assert subject.kept == 0.75
    assert subject.channel_href == "conv5.html#7"


def test_classes_are_named_from_the_most_frequent_on(subject):
    assert [(one.colour, one.name, one.share) for one in subject.swatches] == [
        (0, "bee", 0.75),
        (1, "ant", 0.25),
    ]


def test_the_numbers_behind_a_map_are_a_table_by_the_corners_of_the_square(subject):
    assert [panel.letter for panel in subject.panels] == list("abcde")
    table = subject.panels[3].table
    assert table.head == ("top \\ left", "0", "32")
    assert table.rows == (("0", "0.500", "0.250"), ("32", "1.000", "0.750"))
    assert subject.panels[4].table.rows[0] == ("0", "bee", "ant")
    assert subject.panels[1].top == "8"  # the whole image's sum is the largest


def test_the_pictures_lie_side_by_side_and_have_the_colours_of_their_values(tmp_path):
    ((name, content),) = PAGE.pictures(bare_run(tmp_path), FIGURE)
    picture = np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).astype(float)
    assert name == "0.webp"
    assert PAGE.grids(FIGURE) == {"occluded": GRID}
    assert picture.shape == (SIDE, 5 * SIDE, 3)
    grey = (1 - COVER) * 100

    def quarter(place, row, col):
        part = picture[32 * row : 32 * row + 32, SIDE * place + 32 * col :][:, :32]
        return part[8:24, 8:24].mean(axis=(0, 1))

    assert quarter(0, 0, 0) == pytest.approx(np.full(3, 100), abs=4)
    assert quarter(1, 0, 0) == pytest.approx(grey + COVER * np.array(RAMP[0]), abs=6)
    assert quarter(3, 1, 0) == pytest.approx(grey + COVER * np.array(RAMP[-1]), abs=6)
    assert quarter(4, 0, 1) == pytest.approx(grey + COVER * np.array(CLASS_COLOURS[1]), abs=6)


def test_the_script_reads_the_numbers_and_the_names(tmp_path):
    data = PAGE.data(bare_run(tmp_path), FIGURE)
    assert data["size"] == [SIDE, SIDE]
    (image,) = data["images"]
    assert image["activations"] == [[0, 2], [4, 6]]
    assert image["classes"] == [["bee", "ant"], ["bee", "bee"]]
