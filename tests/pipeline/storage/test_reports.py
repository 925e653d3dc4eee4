import pytest

from pipeline.errors import AtlasError
from pipeline.storage.reports import bound, check_table, read_report
from pipeline.storage.sealed import write_sealed
from pipeline.storage.stores import Provenance

RUN = Provenance("w", "m", "c")


def test_a_report_is_of_one_run(tmp_path):
    path = tmp_path / "evaluate.json"
    assert read_report(path, "evaluate", RUN) == {}
    write_sealed(path, {"images": 3} | bound(RUN))
    assert read_report(path, "evaluate", RUN)["images"] == 3
    for other in (Provenance("v", "m", "c"), Provenance("w", "n", "c"), Provenance("w", "m", "d")):
        with pytest.raises(AtlasError, match=r"another model.*`dvc repro evaluate`"):
            read_report(path, "evaluate", other)


def test_a_table_is_the_one_that_its_report_names(tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("a\n1\n")
    report = bound(RUN, table)
    check_table(table, report, "train")
    with pytest.raises(AtlasError, match=r"t\.csv is there, and its report is missing.*-s train"):
        check_table(table, {}, "train")
    table.write_text("a\n2\n")
    with pytest.raises(AtlasError, match=r"t\.csv is not as it was written.*-s train"):
        check_table(table, report, "train")
    table.unlink()
    with pytest.raises(AtlasError, match=r"t\.csv is missing.*-s train"):
        check_table(table, report, "train")
    check_table(table, {}, "train")
