"""How the network was trained, on the first page."""

from atlas_site.catalogue import gather
from atlas_site.training_facts import low_frequency, recipe
from pipeline.atlas import open_atlas
from pipeline.network.card import Origin
from pipeline.storage.reports import write_report
from pipeline.storage.training_report import Spread, TrainingReport
from tests.atlas_site.bare_run import bare_catalogue
from tests.atlas_site.synthetic_run import Plan, write_run


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
    write_report(run.report("train.json"), report, made_from, run.report("train_history.csv"))
    assert low_frequency(gather(open_atlas(run.artifacts))) == "25.4 %"


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
