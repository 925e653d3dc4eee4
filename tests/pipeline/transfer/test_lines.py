import numpy as np
import pytest

from pipeline.dataset.manifest import ImageRow
from pipeline.progress import no_progress
from pipeline.transfer.folds import Protocol
from pipeline.transfer.lines import feature_line, scratch_line
from pipeline.transfer.table import Line
from tests.pipeline.training.tiny import CONFIG, make_workspace, task


def rows(each: int) -> list[ImageRow]:
    return [
        ImageRow("val" if n % 2 else "train", f"{label}/{n}.jpg", label, 1, 1, "")
        for label in ("ant", "bee")
        for n in range(each)
    ]


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
