import pytest

from pipeline.errors import AtlasError
from pipeline.storage.error_rates import ErrorRates
from pipeline.storage.provenance import Provenance
from pipeline.storage.reports import check_table, read_report, write_report

RUN = Provenance("w", "m", "c")


def test_a_report_is_of_one_run(tmp_path):
    path, rates = tmp_path / "evaluate.json", ErrorRates(images=3)
    assert read_report(path, ErrorRates, RUN) is None
    write_report(path, rates, RUN)
    assert read_report(path, ErrorRates, RUN) == rates
    for other in (Provenance("v", "m", "c"), Provenance("w", "n", "c"), Provenance("w", "m", "d")):
        with pytest.raises(AtlasError, match=r"another model.*`dvc repro evaluate`"):
            read_report(path, ErrorRates, other)


def test_a_table_is_the_one_that_its_report_names(tmp_path):
    table, report = tmp_path / "t.csv", tmp_path / "evaluate.json"
    table.write_text("a\n1\n")
    with pytest.raises(
        AtlasError, match=r"t\.csv is there, and its report .*\.json is missing.*evaluate"
    ):
        check_table(table, report, "evaluate", RUN)
    write_report(report, ErrorRates(images=3), RUN, table)
    check_table(table, report, "evaluate", RUN)
    table.write_text("a\n2\n")
    with pytest.raises(AtlasError, match=r"t\.csv is not as it was written.*-s evaluate"):
        check_table(table, report, "evaluate", RUN)
    table.unlink()
    with pytest.raises(AtlasError, match=r"t\.csv is missing.*-s evaluate"):
        check_table(table, report, "evaluate", RUN)
    report.unlink()
    check_table(table, report, "evaluate", RUN)
