import numpy as np
import pytest

from atlas_site.layers import Projected, gather_layer, gather_layers
from atlas_site.pictures import tile_size
from atlas_site.templating import environment
from pipeline.atlas import open_atlas
from pipeline.errors import AtlasError
from tests.atlas_site.synthetic_run import Plan, write_run


@pytest.fixture(scope="module")
def atlas(tmp_path_factory):
    """Two layers, the second with a dead channel and one of four entries."""
    plan = Plan(
        classes=("ant", "bee", "cow"),
        layers=("conv1", "conv2"),
        dead={"conv2": (1,)},
        partial={"conv2": {2: 4}},
    )
    return open_atlas(write_run(tmp_path_factory.mktemp("layers") / "run", plan).artifacts)


def test_layers_are_those_of_the_scan_with_the_geometry_of_the_paper(atlas):
    first, second = gather_layers(atlas)
    assert [(one.name, one.key, one.href) for one in (first, second)] == [
        ("conv1", "conv1", "conv1.html"),
        ("conv2", "conv2", "conv2.html"),
    ]
    assert [(one.field, one.squares.step) for one in (first, second)] == [(7, (2, 2)), (27, (8, 8))]
    assert (first.dead, second.dead) == (0, 1)
    assert (first.tile.pixelated, second.tile.pixelated) == (True, False)
    assert tile_size(atlas, "conv2") == second.tile


def test_the_cover_shows_the_most_selective_channels_that_have_all_entries(atlas):
    layer = gather_layer(atlas, "conv2")
    mean = atlas.scan("conv2").mean_peak_by_class.astype(np.float64)
    best = mean.max(axis=1)
    rest = (mean.sum(axis=1) - best) / 2
    whole = [n for n in range(26) if n not in (1, 2)]
    order = sorted(whole, key=lambda n: -(best[n] - rest[n]) / (best[n] + rest[n]))
    assert layer.covers == tuple(sorted(order[:9]))


def test_a_layer_says_how_it_was_projected_and_how_its_control_agrees(atlas):
    projected = gather_layer(atlas, "conv1").projected
    assert (projected.method, projected.control_ranks) == ("deconvnet", 2)
    assert projected.control_correlation == 0.25


def test_blank_controls_are_said_to_agree_with_nothing_known():
    macros = environment().get_template("macros.html").module
    for known, said in ((0.254, "0.25"), (None, "not known")):
        assert macros.correlation(Projected("guided", "", 2, known)) == said


def test_a_layer_that_was_not_scanned_is_refused(atlas):
    with pytest.raises(AtlasError, match="no scanned layer 'conv3'") as refusal:
        gather_layer(atlas, "conv3")
    assert "conv1, conv2" in refusal.value.fix
