import json
from dataclasses import replace

import pytest

from pipeline.errors import AtlasError
from pipeline.storage.history import EpochRecord
from pipeline.storage.provenance import Provenance
from pipeline.storage.reports import bound, read_report, write_report
from pipeline.storage.sealed import write_sealed
from pipeline.storage.training_report import Spread, TrainingReport

MODEL = Provenance("w", "m")
EPOCH = EpochRecord(
    2, 0.01, 2.0, 0.5, 1.5, 0.25, {"conv1": 2}, (0.1, 0.2, 0.3), (0.7, 0.8), {"conv1": 0.9}, {}
)
REPORT = TrainingReport(
    epochs_trained=2,
    stopped_early=True,
    parameters=7,
    channels={"conv1": 5},
    last=EPOCH,
    start_cosine={"conv1": Spread(0.5, 0.75, 1.0, (0, 1, 4))},
    conv1_low_frequency=Spread(0.0, 0.25, 0.5, (3, 2, 0)),
)
ELSEWHERE = TrainingReport(epochs_trained=0, stopped_early=False, parameters=7, channels={"0": 2})


def written(tmp_path, report):
    (tmp_path / "history.csv").write_text("epoch\n")
    path = tmp_path / "train.json"
    write_report(path, report, MODEL, tmp_path / "history.csv")
    return path


@pytest.mark.parametrize(
    "report", [REPORT, replace(REPORT, last=replace(EPOCH, val_loss=None)), ELSEWHERE]
)
def test_what_was_written_is_read_again(tmp_path, report):
    assert read_report(written(tmp_path, report), TrainingReport, MODEL) == report


def test_the_file_is_one_object_in_this_order(tmp_path):
    content = json.loads(written(tmp_path, REPORT).read_text())
    assert {name: value for name, value in content.items() if "sha256" not in name} == {
        "epochs_trained": 2,
        "stopped_early": True,
        "parameters": 7,
        "channels": {"conv1": 5},
        "learning_rate": 0.01,
        "train_loss": 2.0,
        "train_top1_error": 0.5,
        "val_loss": 1.5,
        "val_top1_error": 0.25,
        "dead_conv1": 2,
        "conv1_rms_min": 0.1,
        "conv1_rms_median": 0.2,
        "conv1_rms_max": 0.3,
        "conv1_low_frequency_min": 0.7,
        "conv1_low_frequency_median": 0.8,
        "start_cosine_conv1": 0.9,
        "start_cosine": {"conv1": {"min": 0.5, "median": 0.75, "max": 1.0, "histogram": [0, 1, 4]}},
        "conv1_low_frequency": {"min": 0.0, "median": 0.25, "max": 0.5, "histogram": [3, 2, 0]},
        "made_from": bound(MODEL)["made_from"],
    }
    assert list(content)[:5] == [
        "epochs_trained",
        "stopped_early",
        "parameters",
        "channels",
        "learning_rate",
    ]
    assert list(content)[-5:] == [
        "start_cosine",
        "conv1_low_frequency",
        "made_from",
        "table_sha256",
        "sha256",
    ]


def test_what_is_not_known_is_left_out(tmp_path):
    assert list(json.loads(written(tmp_path, ELSEWHERE).read_text())) == [
        "epochs_trained",
        "stopped_early",
        "parameters",
        "channels",
        "made_from",
        "table_sha256",
        "sha256",
    ]


def test_a_run_without_the_file_has_no_report(tmp_path):
    assert read_report(tmp_path / "train.json", TrainingReport, MODEL) is None


def test_the_report_of_another_model_is_refused(tmp_path):
    path = written(tmp_path, REPORT)
    with pytest.raises(AtlasError, match=r"another model.*`dvc repro train`"):
        read_report(path, TrainingReport, Provenance("v", "m"))


def test_a_damaged_file_is_one_line(tmp_path):
    path = written(tmp_path, REPORT)
    path.write_text(path.read_text().replace('"parameters": 7', '"parameters": 8'))
    with pytest.raises(AtlasError, match=r"train\.json is not as it was written.*-s train"):
        read_report(path, TrainingReport, MODEL)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"channels": [5]}, "items"),
        ({"train_loss": "x"}, "could not convert"),
        ({"epochs_trained": None}, "int"),
        ({"conv1_low_frequency": {"min": 0}}, "'median'"),
        ({"start_cosine": {"conv1": {}}}, "'min'"),
    ],
)
def test_what_is_not_a_report_is_one_line(tmp_path, change, reason):
    path = tmp_path / "train.json"
    write_sealed(path, REPORT.to_json() | change | bound(MODEL))
    with pytest.raises(AtlasError, match=rf"is not a report of `train`: .*{reason}.*-s train"):
        read_report(path, TrainingReport, MODEL)
