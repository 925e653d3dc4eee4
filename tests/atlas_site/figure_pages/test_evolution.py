import numpy as np
import pytest

from atlas_site.figure_pages.evolution import KIND, EvolutionPage, epoch_name
from pipeline.atlas import FigureData
from tests.atlas_site.bare_run import bare_catalogue, bare_run
from tests.atlas_site.plain_layers import layer

PAGE = EvolutionPage()
FIGURE = FigureData(
    {
        "epochs": [0, 10],
        "training_images": 3,
        "images": {"0": {"path": "a.png"}, "2": {"path": "c.png"}},
        "layers": [
            {
                "layer": "conv1",
                "channels": [4, 6],
                "image": [[0, 2], [-1, -1]],
                "changed": [[False, True], [False, False]],
                "activation": [[1.23456, 2.0], [0.0, 0.0]],
                "settled": [10, None],
            },
            {
                "layer": "conv2",
                "channels": [1],
                "image": [[2, 2]],
                "changed": [[False, False]],
                "activation": [[1.0, 3.0]],
                "settled": [0],
            },
        ],
    },
    {
        "projection_conv1": np.zeros((2, 2, 7, 7, 3), np.float16),
        "projection_conv2": np.zeros((1, 2, 27, 27, 3), np.float16),
    },
    {"conv1_median_settled_epoch": 10.0},
)


@pytest.fixture
def context(tmp_path):
    layers = (layer("conv1", 29, 9, 7), layer("conv2", 7, 9, 27))
    return PAGE.context(bare_catalogue(tmp_path, *layers), FIGURE)


def test_a_row_is_a_channel_with_its_winners_by_epoch(context):
    first, second = context["histories"]
    assert [row.href for row in first.rows] == ["conv1.html#4", "conv1.html#6"]
    assert [cell.path for cell in first.rows[0].cells] == ["a.png", "c.png"]
    assert [cell.changed for cell in first.rows[0].cells] == [False, True]
    assert [cell.path for cell in first.rows[1].cells] == ["", ""]
    assert [row.settled for row in (*first.rows, *second.rows)] == [
        "from epoch 10 on",
        "no image in the end",
        "from start on",
    ]
    assert (first.median, first.last, second.median) == (10.0, None, None)


def test_a_picture_is_at_the_row_of_its_channel_and_the_column_of_its_epoch(context):
    first, second = context["histories"]
    regions = [[(cell.region.x, cell.region.y) for cell in row.cells] for row in first.rows]
    assert regions == [[(0, 0), (1, 0)], [(0, 1), (1, 1)]]
    assert first.rows[0].cells[0].region.src == "figures/evolution/conv1.webp"
    assert first.pixelated
    assert not second.pixelated


def test_all_layers_sheets_are_of_one_shape(tmp_path):
    assert (PAGE.grids(FIGURE)[KIND].columns, PAGE.grids(FIGURE)[KIND].rows) == (2, 2)
    assert [name for name, _ in PAGE.pictures(bare_run(tmp_path), FIGURE)] == [
        "conv1.webp",
        "conv2.webp",
    ]


def test_the_start_is_not_an_epoch_and_numbers_are_rounded_for_the_script(tmp_path, context):
    assert context["epochs"] == ["start", "epoch 10"]
    assert epoch_name(3) == "epoch 3"
    assert (context["training_images"], context["all_training_images"]) == (3, 4)
    data = PAGE.data(bare_run(tmp_path), FIGURE)
    assert data["layers"][0]["activation"] == [[1.235, 2.0], [0.0, 0.0]]
    assert data["images"] == {"0": "a.png", "2": "c.png"}
