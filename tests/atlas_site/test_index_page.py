"""The facts of the first page."""

import dataclasses

from atlas_site.catalogue import gather
from atlas_site.index_page import has_local_response_norm, low_frequency, recipe, verified
from pipeline.atlas import LocalResponseNorm, open_atlas
from pipeline.network.card import Origin
from pipeline.storage.reports import bound
from pipeline.storage.sealed import write_sealed
from pipeline.storage.training_report import Spread, TrainingReport, write_training_report
from pipeline.workspace import Workspace
from tests.atlas_site.bare_run import bare_catalogue
from tests.atlas_site.synthetic_run import Plan, write_run

REPORT = {
    "entries": 50,
    "faults": 0,
    "tied": 2,
    "layers": {
        "conv1": {"entries": 30, "worst_projection_error": 2.1e-4},
        "conv2": {"entries": 20, "worst_projection_error": 3.4e-4},
    },
}


def headline(run: Workspace, **changes: int) -> str:
    atlas = open_atlas(run.artifacts)
    write_sealed(run.report("verify.json"), REPORT | changes | bound(atlas.entries_provenance))
    found = verified(gather(atlas))
    assert found is not None
    assert dataclasses.is_dataclass(found)
    return found.headline


def test_the_headline_says_how_many_were_verified_of_how_many_and_the_worst_error(tmp_path):
    run = write_run(tmp_path / "run", Plan(layers=("conv1", "conv2"), dead={}, partial={}))
    assert verified(gather(open_atlas(run.artifacts))) is None
    shown = 9 * (10 + 26)
    assert headline(run) == (
        f"Verified: 50 of the {shown} entries shown were recomputed from their image files by a "
        "slow reference; all agree, worst relative error 3.4\u00a0×\u00a010⁻⁴."
    )
    assert "3 are faulty" in headline(run, faults=3)


def test_the_low_frequencies_of_the_first_layer_are_the_training_s_median(tmp_path):
    run = write_run(tmp_path / "run", Plan(layers=("conv1",), dead={}, partial={}))
    assert low_frequency(gather(open_atlas(run.artifacts))) == ""
    report = TrainingReport(
        epochs_trained=0,
        stopped_early=False,
        parameters=1,
        channels={},
        conv1_low_frequency=Spread(0.1, 0.254, 0.9, (3, 2)),
    )
    made_from = open_atlas(run.artifacts).card.trained_from
    write_training_report(
        run.report("train.json"), report, made_from, run.report("train_history.csv")
    )
    assert low_frequency(gather(open_atlas(run.artifacts))) == "25.4 %"


def test_local_response_norms_are_spoken_of_where_the_network_has_them(tmp_path):
    plan = Plan(layers=("conv1",), dead={}, partial={})
    graph = open_atlas(write_run(tmp_path / "run", plan).artifacts).graph
    assert has_local_response_norm(graph)  # ZFNet's, behind conv1 and conv2
    nodes = tuple(node for node in graph.nodes if not isinstance(node.op, LocalResponseNorm))
    assert not has_local_response_norm(dataclasses.replace(graph, nodes=nodes))


def with_training(folder, **changes):
    folder.mkdir()
    catalogue = bare_catalogue(folder)
    params = catalogue.atlas.params
    train = params.train.model_copy(update=changes)
    vars(catalogue.atlas)["params"] = params.model_copy(update={"train": train})
    return catalogue


def test_the_start_and_the_decay_of_a_run_are_said(tmp_path):
    changes = {"init": "he", "weight_decay": 0.002, "start_decay": 0.0}
    assert recipe(with_training(tmp_path / "plain", **changes)) == (
        "Its filters were drawn by He’s rule; weight decay 0.002, none on the start alone."
    )
    changes |= {"init": "patches", "start_decay": 0.5, "start_decay_after": 3}
    text = recipe(with_training(tmp_path / "decayed", **changes))
    assert "the covariance of the training images’ own patches; weight decay 0.002, and" in text
    assert "start_decay 0.5 from epoch 4 on, on what is left" in text
    assert "lowers the cosine by itself" in text


def test_of_a_network_from_elsewhere_nothing_is_said_of_start_and_decay(tmp_path):
    catalogue = bare_catalogue(tmp_path)
    origin = Origin(
        arguments={}, versions={}, sources={}, values_agree_to=0.0, projections_agree_to=0.0
    )
    vars(catalogue.atlas)["card"] = catalogue.atlas.card.model_copy(update={"origin": origin})
    assert recipe(catalogue) == ""
