import csv
import json

import pytest

from pipeline.transfer.table import Line, write_folds, write_means


def test_the_table_has_a_line_per_fold_and_the_summary_mean_and_deviation(tmp_path):
    lines = [Line("fc7", "svm", 15, (0.5, 0.7)), Line("scratch", "softmax", 30, (0.25,))]
    write_folds(tmp_path / "t.csv", lines)
    write_means(tmp_path / "t.json", lines)
    with (tmp_path / "t.csv").open(newline="") as file:
        assert list(csv.reader(file))[1:] == [
            ["fc7", "svm", "15", "0", "0.500000"],
            ["fc7", "svm", "15", "1", "0.700000"],
            ["scratch", "softmax", "30", "0", "0.250000"],
        ]
    summary = json.loads((tmp_path / "t.json").read_text())
    assert summary["fc7_svm_15"]["mean"] == pytest.approx(0.6)
    assert summary["fc7_svm_15"]["deviation"] == pytest.approx(0.02**0.5)
    assert summary["scratch_softmax_30"] == {"mean": 0.25, "deviation": 0.0, "folds": 1}


def test_a_line_says_percent_over_the_folds_and_one_fold_does_not_deviate():
    assert str(Line("fc7", "svm", 15, (0.5, 0.7))) == (
        "fc7, svm, 15 per class: 60.0 ± 14.1 % mean per-class accuracy"
    )
    assert Line("fc7", "svm", 15, (0.5,)).deviation == 0
