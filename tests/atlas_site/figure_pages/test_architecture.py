import numpy as np
import pytest

from atlas_site.figure_pages.architecture import ArchitecturePage
from pipeline.atlas import FigureData
from tests.atlas_site.bare_run import bare_catalogue, bare_run

PAGE = ArchitecturePage()
SHARES = [0.3, 0.2, 0.1, 0.1, 0.05, 0.05, 0.1, 0.05, 0.05, 0.0]
FIGURE = FigureData(
    {
        "networks": [
            {"name": "ours", "shares": SHARES, "shown": [4, 9]},
            {"name": "theirs", "shares": SHARES[::-1], "shown": list(range(9))},
        ],
        "white_shares": [0.1] * 10,
    },
    {
        "filters_0": np.zeros((5, 7, 7, 3), np.float32),
        "filters_1": np.zeros((6, 11, 11, 3), np.float32),
        "projections_0": np.zeros((2, 27, 27, 3), np.float16),
        "projections_1": np.zeros((9, 15, 15, 3), np.float16),
    },
)


@pytest.fixture
def context(tmp_path):
    return PAGE.context(bare_catalogue(tmp_path), FIGURE)


def test_frequencies_are_summed_in_three_bands(context):
    ours, theirs = context["networks"]
    assert ours.bands == pytest.approx((0.6, 0.2, 0.2))
    assert theirs.bands == pytest.approx((0.1, 0.2, 0.7))


def test_pictures_are_named_by_their_channels_and_lie_in_the_network_s_sheets(context):
    ours, theirs = context["networks"]
    assert [channel for channel, _ in ours.projections] == [4, 9]
    assert len(ours.filters) == 5
    last = theirs.projections[8][1]
    assert (last.src, last.x, last.y) == ("figures/architecture/second-1.webp", 0, 1)
    assert theirs.filters[0].src == "figures/architecture/filters-1.webp"
    assert not ours.pixelated
    assert theirs.pixelated


def test_curves_of_all_networks_are_drawn_with_that_of_white_noise(context):
    plot = context["frequencies"]
    assert [curve.name for curve in plot.curves] == ["ours", "theirs", "white noise"]
    assert plot.table.rows[0][:2] == ("0.025", "0.300")


def test_there_are_two_files_and_two_grids_for_each_network(tmp_path):
    names = [name for name, _ in PAGE.pictures(bare_run(tmp_path), FIGURE)]
    assert names == ["filters-0.webp", "second-0.webp", "filters-1.webp", "second-1.webp"]
    grids = PAGE.grids(FIGURE)
    assert set(grids) == {name.removesuffix(".webp") for name in names}
    assert (grids["second-1"].columns, grids["second-1"].rows) == (8, 2)


def test_a_network_whose_second_layer_is_not_shown_has_its_filters_alone(tmp_path):
    half = {"name": "half", "shares": SHARES, "shown": [], "why_no_second": "It was not scanned."}
    facts = {**FIGURE.facts, "networks": [half]}
    figure = FigureData(facts, {"filters_0": FIGURE.arrays["filters_0"]})
    assert [name for name, _ in PAGE.pictures(bare_run(tmp_path), figure)] == ["filters-0.webp"]
    assert set(PAGE.grids(figure)) == {"filters-0"}
    assert PAGE.cover(figure) == "filters-0.webp"
    (shown,) = PAGE.context(bare_catalogue(tmp_path), figure)["networks"]
    assert (len(shown.filters), shown.projections) == (5, ())
