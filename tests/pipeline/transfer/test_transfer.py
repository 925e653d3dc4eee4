import csv
import json

import numpy as np
import pytest

from pipeline.dataset.manifest import ImageRow
from pipeline.errors import AtlasError
from pipeline.progress import no_progress
from pipeline.transfer.folds import Protocol, draw_fold
from pipeline.transfer.lines import feature_line, scratch_line
from pipeline.transfer.table import Line, write_summary, write_table
from tests.pipeline.training.test_train import task
from tests.pipeline.training.tiny import CONFIG, make_workspace


def rows(each: int) -> list[ImageRow]:
    return [
        ImageRow("val" if n % 2 else "train", f"{label}/{n}.jpg", label, 1, 1, "")
        for label in ("ant", "bee")
        for n in range(each)
    ]


def test_a_fold_has_so_many_training_images_of_each_class_and_tests_at_most_so_many_others():
    manifest = draw_fold(rows(20), Protocol(per_class=5, test_per_class=8, folds=1), 0, 0)
    counts = {
        split: [
            sum(row.label == label for row in manifest.split(split)) for label in ("ant", "bee")
        ]
        for split in ("train", "val")
    }
    assert counts == {"train": [5, 5], "val": [8, 8]}
    assert not {r.path for r in manifest.split("train")} & {r.path for r in manifest.split("val")}


def test_folds_differ_and_depend_neither_on_the_order_nor_on_the_split_of_the_rows():
    protocol = Protocol(5, 50, 2)
    first, second = (draw_fold(rows(20), protocol, 0, fold) for fold in (0, 1))
    assert first != second
    assert draw_fold(rows(20)[::-1], protocol, 0, 0) == first


def test_a_class_with_too_few_images_is_named():
    with pytest.raises(AtlasError, match="'ant' has 5 images"):
        draw_fold(rows(5), Protocol(5, 50, 1), 0, 0)


def features_of_class(known: list[ImageRow]) -> np.ndarray:
    return np.array([[row.label == "ant", row.label == "bee"] for row in known], np.float32)


@pytest.mark.parametrize("classifier", ["softmax", "svm"])
def test_features_tell_the_classes_of_every_fold(tmp_path, classifier):
    known = rows(10)
    line = feature_line(
        known,
        lambda: features_of_class(known),
        "fc7",
        classifier,
        Protocol(4, 50, 3),
        seed=0,
        state=tmp_path,
        advance=no_progress,
    )
    assert line == Line("fc7", classifier, 4, (1.0, 1.0, 1.0))


def test_a_fold_that_is_done_asks_for_no_features(tmp_path):
    known, counted = rows(10), []

    def line(features, folds):
        protocol = Protocol(4, 50, folds)
        return feature_line(known, features, "fc7", "svm", protocol, 0, tmp_path, counted.append)

    def unwanted():
        raise AssertionError("asked for features")

    done = line(lambda: features_of_class(known), 2)
    assert line(unwanted, 2) == done
    assert counted == [1, 1, 1, 1]
    with pytest.raises(AssertionError, match="asked for features"):
        line(unwanted, 3)


def test_from_scratch_every_fold_is_trained_once_even_when_repeated(tmp_path):
    make_workspace(tmp_path, epochs=1)
    protocol = Protocol(per_class=5, test_per_class=4, folds=2)
    state = tmp_path / "state"
    state.mkdir()
    line = scratch_line(task(tmp_path), protocol, CONFIG, state, no_progress)
    assert all(path.is_file() for path in state.iterdir())  # what a fold needed is gone
    (tmp_path / "images").rename(tmp_path / "gone")
    assert scratch_line(task(tmp_path), protocol, CONFIG, state, no_progress) == line
    assert len(line.accuracies) == 2
    assert all(0 <= accuracy <= 1 for accuracy in line.accuracies)


def test_the_table_has_a_line_per_fold_and_the_summary_mean_and_deviation(tmp_path):
    lines = [Line("fc7", "svm", 15, (0.5, 0.7)), Line("scratch", "softmax", 30, (0.25,))]
    write_table(tmp_path / "t.csv", lines)
    write_summary(tmp_path / "t.json", lines)
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
