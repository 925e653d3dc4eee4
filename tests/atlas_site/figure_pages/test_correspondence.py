import numpy as np
import pytest

from atlas_site.figure_pages.correspondence import ROW, WIDTH, CorrespondencePage
from pipeline.atlas import FigureData
from tests.atlas_site.bare_run import bare_catalogue, bare_run

PAGE = CorrespondencePage()


def row(label, part, *deltas):
    return {
        "label": label,
        "part": part,
        "images": ["a.png", "b.png"],
        "delta": [{"mean": m, "deviation": d, "pairs": 1} for m, d in deltas],
    }


FIGURE = FigureData(
    {
        "layers": ["conv5", "fc7"],
        "rows": [
            row("dog", "nose", (0.1, 0.05), (0.2, 0.0)),
            row("dog", "the left ear of the dog", (0.3, 0.1), (0.1, 0.2)),
            row("dog", "", (0.2, 0.0), (0.2, 0.0)),
            row("cat", "nose", (0.1, 0.0), (0.1, 0.0)),
            row("cat", "", (0.4, 0.0), (0.1, 0.0)),
        ],
    },
    {f"picture_{n}": np.zeros((2, 16, 16, 3), np.uint8) for n in (0, 1, 3)},
)


@pytest.fixture
def context(tmp_path):
    return PAGE.context(bare_catalogue(tmp_path), FIGURE)


def test_rows_are_in_blocks_of_their_class(context):
    dog, cat = context["blocks"]
    assert [(block.label, len(block.lines), block.height) for block in (dog, cat)] == [
        ("dog", 3, 3 * ROW),
        ("cat", 2, 2 * ROW),
    ]
    assert dog.images == ("a.png", "b.png")
    assert [line.short for line in dog.lines] == ["nose", "the left ear of…", "random places"]


def test_a_delta_is_a_place_on_the_axis_with_its_deviation_around_it(context):
    assert context["top"] == pytest.approx(0.4)
    first = context["blocks"][0].lines[0].deltas[0]
    assert first.text == "0.100 ± 0.050"
    assert (first.low, first.at, first.high) == pytest.approx(
        (WIDTH * 0.05 / 0.4, WIDTH * 0.1 / 0.4, WIDTH * 0.15 / 0.4), abs=0.06
    )
    cut = context["blocks"][0].lines[1].deltas[1]
    assert (cut.low, cut.high) == pytest.approx((0, WIDTH * 0.3 / 0.4), abs=0.06)


def test_a_part_wins_where_its_delta_is_below_that_of_its_class_s_random_places(context):
    assert context["wins"] == [("conv5", 2, 3), ("fc7", 1, 3)]


def test_there_is_a_file_of_what_was_hidden_for_each_part(tmp_path, context):
    names = [name for name, _ in PAGE.pictures(bare_run(tmp_path), FIGURE)]
    assert names == ["0.webp", "1.webp", "3.webp"]
    pictures = context["blocks"][1].lines[0].pictures
    assert [(one.src, one.x) for one in pictures] == [
        ("figures/correspondence/3.webp", 0),
        ("figures/correspondence/3.webp", 1),
    ]
    assert context["blocks"][1].lines[1].pictures == ()
    assert list(PAGE.grids(FIGURE)) == ["masked-2"]
