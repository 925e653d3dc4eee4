import csv
import json

import pytest

from tests.pipeline.training.tiny import make_workspace
from tests.stages.commands import atlas


def test_it_reports_error_rates_and_the_class_predicted_for_every_image(tmp_path):
    root = make_workspace(tmp_path, epochs=1)
    atlas(root, "train")
    atlas(root, "evaluate")
    report = json.loads((root / "reports" / "evaluate.json").read_text())
    assert list(report)[:6] == [
        "top1_error",
        "top5_error",
        "top1_error_10crop",
        "top5_error_10crop",
        "mean_class_accuracy",
        "images",
    ]
    assert report["images"] == 12
    assert report["top5_error"] == 0.0
    with (root / "artifacts" / "predictions.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["image"] for line in lines] == [str(n) for n in range(12)]
    assert {line["class"] for line in lines} <= {"blue", "green", "red"}
    right = [line["class"] == label for line, label in zip(lines, labels(), strict=True)]
    assert report["top1_error"] == pytest.approx(1 - sum(right) / 12)


def labels() -> list[str]:
    """Classes of the validation rows, which are sorted by path."""
    return [label for label in ("blue", "green", "red") for _ in range(4)]
