import json
import math
from dataclasses import replace

import pytest

from pipeline.errors import AtlasError
from pipeline.storage.provenance import Provenance
from pipeline.storage.reports import bound, read_report, write_report
from pipeline.storage.sealed import write_sealed
from pipeline.storage.verification_report import (
    LayerVerification,
    VerdictCount,
    VerificationReport,
)

RUN = Provenance("w", "m", "c", "s")
COUNT = VerdictCount(entries=3, agreed=1, tied=1, wrong=1)
LAYER = LayerVerification(count=COUNT, worst_projection_error=0.25, worst_activation_error=0.5)
REPORT = VerificationReport(
    count=COUNT,
    images=2,
    seed=7,
    projection_error_allowed=0.125,
    faults=1,
    first_faults=("conv1 channel 3 is off",),
    layers={"conv1": LAYER, "conv2": replace(LAYER, worst_projection_error=0.75)},
)


def test_the_file_is_one_object_with_the_verdicts_of_each_layer(tmp_path):
    path = tmp_path / "verify.json"
    write_report(path, REPORT, RUN)
    content = json.loads(path.read_text())
    verdicts = {"entries": 3, "agreed": 1, "tied": 1, "wrong": 1}
    worst = {"worst_projection_error": 0.25, "worst_activation_error": 0.5}
    assert content["layers"]["conv1"] == verdicts | worst
    assert {name: content[name] for name in verdicts} == verdicts
    assert content["first_faults"] == ["conv1 channel 3 is off"]
    assert read_report(path, VerificationReport, RUN) == REPORT


def test_the_worst_error_is_that_of_the_worst_layer():
    assert REPORT.worst_projection_error == 0.75
    assert replace(REPORT, layers={}).worst_projection_error is None


@pytest.mark.parametrize("error", [math.nan, math.inf])
def test_an_error_that_is_no_number_is_not_the_worst(error):
    layers = {"conv0": replace(LAYER, worst_projection_error=error)}
    assert replace(REPORT, layers=layers | REPORT.layers).worst_projection_error == 0.75
    assert replace(REPORT, layers=layers).worst_projection_error is None


@pytest.mark.parametrize("missing", ["entries", "layers", "seed"])
def test_what_is_not_a_report_is_one_line(tmp_path, missing):
    path = tmp_path / "verify.json"
    content = {name: value for name, value in REPORT.to_json().items() if name != missing}
    write_sealed(path, content | bound(RUN))
    with pytest.raises(AtlasError, match=rf"is not a report of `verify`: '{missing}'"):
        read_report(path, VerificationReport, RUN)
