import numpy as np
import pytest
import torch

from pipeline.atlas import open_atlas
from pipeline.errors import AtlasError
from pipeline.figures.architecture import Architecture, relative_spread, rivals_of
from pipeline.figures.figure import Work
from pipeline.network.filters import filter_rms
from pipeline.network.graph import Graph
from pipeline.network.receptive_field import receptive_field
from tests.figure_making import Here, made
from tests.finished_scan import finished_scan
from tests.workspaces import write_params


def with_rivals(workspace, rivals):
    """The run again, with rivals in its params.yaml."""
    root = workspace.root
    write_params(
        root,
        {"data": {"root": str(root / "photos")}, "figures": {"architecture": {"rivals": rivals}}},
    )
    return open_atlas(workspace.artifacts)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    return finished_scan(tmp_path_factory.mktemp("architecture") / "run", ("conv1", "conv2"))


def test_the_filters_and_dead_channels_are_those_of_the_run_and_a_copy_has_the_same(
    workspace, tmp_path
):
    copy = finished_scan(tmp_path / "copy", ("conv1", "conv2"))
    run = with_rivals(workspace, [str(copy.root)])
    figure = made(Architecture(), run, tmp_path / "kept")
    own, rival = figure.facts["networks"]
    assert {**own, "name": "copy"} == rival
    assert (own["kernel"], own["stride"], own["fold_over"], own["cap"]) == ([7, 7], 2, 0.25, 0.1)
    for layer, channels, dead in zip(own["layers"], own["channels"], own["dead"], strict=True):
        record = run.scan(layer)
        assert channels == len(record.fired)
        assert dead == sum(not (images >= 0).any() for images in record.image)
    weights = run.model().tensor("conv1.weight").numpy()
    np.testing.assert_array_equal(figure.arrays["filters_0"], weights.transpose(0, 2, 3, 1))
    rms = [np.sqrt(np.mean(one.astype(float) ** 2)) for one in weights]
    assert own["rms_largest"] == pytest.approx(max(rms) / np.median(rms))
    side = receptive_field(run.graph, "conv2").size[0]
    assert figure.arrays["projections_1"].shape == (len(own["shown"]), side, side, 3)
    assert np.abs(figure.arrays["projections_0"]).max(axis=(1, 2, 3)) == pytest.approx(1)


def test_a_filter_that_dominates_is_seen_in_the_spread():
    filters = np.ones((10, 3, 3, 3))
    assert relative_spread(filter_rms(torch.from_numpy(filters)).numpy()) == 0
    filters[0] *= 11
    # The mean is 2, the deviations are 9 once and −1 nine times.
    assert relative_spread(filter_rms(torch.from_numpy(filters)).numpy()) == pytest.approx(
        np.sqrt((81 + 9) / 10) / 2
    )


def test_a_rival_that_is_not_there_is_one_line(workspace, tmp_path):
    with pytest.raises(AtlasError, match="no folder"):
        rivals_of(with_rivals(workspace, [str(tmp_path / "nowhere")]))


def test_without_a_scan_of_the_second_convolution_the_filters_and_their_numbers_are_made(
    workspace, tmp_path
):
    bare = finished_scan(tmp_path / "bare", ("conv1",))
    run = with_rivals(workspace, [str(bare.root)])
    whole, half = made(Architecture(), run, tmp_path / "kept").facts["networks"]
    told = {"name", "dead", "aliasing", "shown", "why_no_second"}
    assert {name: whole[name] for name in whole.keys() - told} == {
        name: half[name] for name in half.keys() - told
    }
    assert half["why_no_second"] == "conv2 was not scanned (scan.layers)."
    assert (half["dead"], half["aliasing"], half["shown"]) == ([whole["dead"][0], None], None, [])
    assert "why_no_second" not in whole
    steps: list[int] = []
    own = open_atlas(bare.artifacts)
    figure = Architecture().compute(Work(own, Here(), tmp_path / "alone", steps.append))
    assert set(figure.arrays) == {"filters_0"}
    assert figure.summary.keys() == {
        *("first_layer_dead", "low_share", "middle_share", "high_share"),
        *("rms_spread", "rms_largest"),
    }
    assert sum(steps) == Architecture().steps(own)


def test_a_network_that_does_not_begin_with_a_convolution_has_no_figure(workspace, monkeypatch):
    run = open_atlas(workspace.artifacts)
    monkeypatch.setattr(Graph, "conv_layers", ("conv2",))
    assert Architecture().missing(run) == "The network does not begin with a convolution."
