import json

import pytest

from pipeline.errors import AtlasError
from pipeline.storage.error_rates import ErrorRates
from pipeline.storage.provenance import Provenance
from pipeline.storage.reports import bound, read_report, write_report
from pipeline.storage.sealed import write_sealed

RUN = Provenance("w", "m", "c")
ONE_CROP = ErrorRates(top1_error=0.5, top5_error=0.25, mean_class_accuracy=0.4, images=8)


def test_what_was_not_measured_is_left_out_and_read_as_nothing(tmp_path):
    path = tmp_path / "evaluate.json"
    write_report(path, ONE_CROP, RUN)
    content = json.loads(path.read_text())
    assert list(content)[:4] == ["top1_error", "top5_error", "mean_class_accuracy", "images"]
    assert read_report(path, ErrorRates, RUN) == ONE_CROP
    write_report(path, ErrorRates(images=0), RUN)
    assert read_report(path, ErrorRates, RUN) == ErrorRates(images=0)


@pytest.mark.parametrize(
    ("content", "reason"), [({"top1_error": "low", "images": 8}, "low"), ({}, "images")]
)
def test_what_is_not_a_report_is_one_line(tmp_path, content, reason):
    path = tmp_path / "evaluate.json"
    write_sealed(path, content | bound(RUN))
    with pytest.raises(AtlasError, match=rf"is not a report of `evaluate`: .*{reason}"):
        read_report(path, ErrorRates, RUN)
