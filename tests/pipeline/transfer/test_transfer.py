import csv
import json

import numpy as np
import pytest
import torch

from pipeline.dataset.manifest import ImageRow
from pipeline.errors import AtlasError
from pipeline.transfer.folds import Protocol, draw_fold
from pipeline.transfer.run import scratch_line, softmax_line
from pipeline.transfer.softmax import fit_softmax, probabilities_of
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


def blobs(each: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Three classes about three corners."""
    labels = torch.arange(3).repeat_interleave(each)
    noise = torch.randn(3 * each, 3, generator=torch.Generator().manual_seed(seed))
    return torch.eye(3)[labels] * 4 + noise, labels


def test_the_softmax_is_at_the_minimum_of_its_penalised_loss():
    features, labels = blobs(30, seed=0)
    weight, bias = fit_softmax(features, labels, 3)
    weight.requires_grad_()
    loss = torch.nn.functional.cross_entropy(features @ weight.T + bias, labels)
    (loss + 1e-3 * weight.square().sum()).backward()
    assert weight.grad is not None
    assert weight.grad.abs().max() < 1e-3


def test_a_softmax_on_features_recognises_what_is_linearly_apart():
    features, labels = blobs(30, seed=0)
    others, truth = blobs(30, seed=1)
    found = probabilities_of(features, labels, others, 3).argmax(dim=1)
    assert (found == truth).double().mean() > 0.95


def test_features_tell_the_classes_of_every_fold():
    known = rows(10)
    features = np.array([[row.label == "ant", row.label == "bee"] for row in known], np.float32)
    line = softmax_line(known, features, "fc7", Protocol(4, 50, 3), seed=0)
    assert line == Line("fc7", 4, (1.0, 1.0, 1.0))


def test_from_scratch_every_fold_is_trained_once_even_when_repeated(tmp_path):
    make_workspace(tmp_path, epochs=1)
    protocol = Protocol(per_class=5, test_per_class=4, folds=2)
    state = tmp_path / "state"
    state.mkdir()
    counted = []
    line = scratch_line(task(tmp_path), protocol, CONFIG, state, counted.append)
    (tmp_path / "images").rename(tmp_path / "gone")
    assert scratch_line(task(tmp_path), protocol, CONFIG, state, counted.append) == line
    assert len(line.accuracies) == 2
    assert all(0 <= accuracy <= 1 for accuracy in line.accuracies)


def test_the_table_has_a_line_per_fold_and_the_summary_mean_and_deviation(tmp_path):
    lines = [Line("fc7", 15, (0.5, 0.7)), Line("scratch", 30, (0.25,))]
    write_table(tmp_path / "t.csv", lines)
    write_summary(tmp_path / "t.json", lines)
    with (tmp_path / "t.csv").open(newline="") as file:
        assert [line[:3] for line in csv.reader(file)][1:] == [
            ["fc7", "15", "0"],
            ["fc7", "15", "1"],
            ["scratch", "30", "0"],
        ]
    summary = json.loads((tmp_path / "t.json").read_text())
    assert summary["fc7_15"]["mean"] == pytest.approx(0.6)
    assert summary["fc7_15"]["deviation"] == pytest.approx(0.02**0.5)
    assert summary["scratch_30"] == {"mean": 0.25, "deviation": 0.0, "folds": 1}
