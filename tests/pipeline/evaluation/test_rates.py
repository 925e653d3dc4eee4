import csv

import numpy as np
import pytest
import torch

from pipeline.dataset.images import load_square
from pipeline.dataset.manifest import read_manifest
from pipeline.errors import AtlasError
from pipeline.evaluation.rates import (
    Evaluation,
    error_rate,
    evaluate,
    mean_class_accuracy,
    ten_crops,
    write_predictions,
)
from pipeline.network.model import load_model
from pipeline.training.labels import labels_of
from pipeline.training.outs import write_model
from tests.pipeline.training.test_loop import task, trained
from tests.pipeline.training.tiny import make_workspace

CHANCES = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.4, 0.4, 0.2], [0.2, 0.5, 0.3]], np.float32)
LABELS = np.array([0, 1, 1, 2])


def test_an_image_counts_as_wrong_unless_its_class_is_among_the_most_probable():
    assert error_rate(CHANCES, np.array([0, 1, 0, 2]), 1) == 0.5
    assert error_rate(CHANCES, np.array([0, 1, 0, 2]), 2) == 0.0
    assert error_rate(CHANCES, np.array([2, 0, 2, 0]), 2) == 1.0


def test_of_equal_probabilities_the_earlier_class_wins():
    tie = np.full((1, 4), 0.25, np.float32)
    assert [error_rate(tie, np.array([label]), 2) for label in range(4)] == [0, 0, 1, 1]


def test_more_places_than_classes_leave_no_error():
    assert error_rate(CHANCES, LABELS, 5) == 0.0


def test_every_class_with_images_counts_alike_in_the_mean_class_accuracy():
    labels = np.array([0, 1, 1, 1])
    assert mean_class_accuracy(CHANCES, labels) == pytest.approx((1 + 1 / 3) / 2)


def test_the_rates_of_one_crop_and_ten_are_kept_apart():
    rates = Evaluation(CHANCES, CHANCES[:, ::-1].copy(), np.array([0, 2, 0, 1])).rates()
    assert rates.images == 4
    assert rates.top1_error == 0.0
    assert rates.top1_error_10crop == 0.75


def test_ten_crops_are_the_corners_and_the_centre_each_with_its_mirror_image():
    square = np.arange(36, dtype=np.uint8).reshape(1, 6, 6, 1).repeat(3, axis=3)
    crops = [crop[0, :, :, 0] for crop in ten_crops(square, 4)]
    assert [int(crop[0, 0]) for crop in crops[::2]] == [0, 2, 12, 14, 7]
    for plain, mirrored in zip(crops[::2], crops[1::2], strict=True):
        assert np.array_equal(plain[:, ::-1], mirrored)


def test_a_models_probabilities_are_those_of_its_own_forward_pass(tmp_path):
    root = make_workspace(tmp_path, epochs=1)
    write_model(root / "model", task(root), trained(root), "", root / "none")
    model = load_model(root / "model")
    rows = read_manifest(root / "artifacts" / "manifest.csv").split("val")
    paths = [root / "images" / row.path for row in rows]
    labels = labels_of(rows, model.card.classes)
    counted = []
    result = evaluate(model, paths, labels, torch.device("cpu"), 2, counted.append)
    assert sum(counted) == len(rows) == 12
    pixels = torch.from_numpy(np.stack([load_square(path, 72, 64) for path in paths]))
    scores = model.network(model.normalisation(pixels.permute(0, 3, 1, 2)))
    np.testing.assert_allclose(result.one_crop, scores.softmax(1), rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(result.ten_crops.sum(axis=1), 1, rtol=1e-5)


def test_no_image_is_an_error(tmp_path):
    root = make_workspace(tmp_path, epochs=0)
    write_model(root / "model", task(root), trained(root), "", root / "none")
    nothing = np.zeros(0, np.int64)
    with pytest.raises(AtlasError, match="no validation image"):
        evaluate(load_model(root / "model"), [], nothing, torch.device("cpu"), 1, print)


def test_predictions_name_the_most_probable_class_of_every_image(tmp_path):
    write_predictions(tmp_path / "p.csv", ["a, b", "c", "d"], CHANCES)
    with (tmp_path / "p.csv").open(newline="") as file:
        lines = list(csv.reader(file))
    assert lines[0] == ["image", "class", "probability"]
    assert lines[1:3] == [["0", "a, b", "0.700000"], ["1", "d", "0.600000"]]
