import numpy as np
import pytest
import torch
from torch.nn import functional

from pipeline.transfer.classifiers import make_classifier, recognised


def blobs(each: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Three classes about three corners."""
    labels = np.arange(3).repeat(each)
    noise = np.random.default_rng(seed).normal(size=(3 * each, 3))
    return (np.eye(3)[labels] * 4 + noise).astype(np.float32), labels


def softmax_loss(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return functional.cross_entropy(scores, labels)


def squared_hinge_loss(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Summed over the machines, each of which has a mean of its own."""
    signs = 2.0 * functional.one_hot(labels, 3) - 1
    return (1 - signs * scores).clamp(min=0).square().mean(dim=0).sum()


@pytest.mark.parametrize(("kind", "loss"), [("softmax", softmax_loss), ("svm", squared_hinge_loss)])
def test_a_classifier_is_at_the_minimum_of_its_penalised_loss(kind, loss):
    features, labels = blobs(30, seed=0)
    learnt = make_classifier(kind, len(labels)).fit(features, labels)
    weight = torch.tensor(learnt.coef_, dtype=torch.float64, requires_grad=True)
    bias = torch.tensor(learnt.intercept_, dtype=torch.float64)
    scores = torch.tensor(features, dtype=torch.float64) @ weight.T + bias
    penalised = loss(scores, torch.tensor(labels)) + 1e-3 * weight.square().sum()
    penalised.backward()
    assert weight.grad is not None
    assert weight.grad.abs().max() < 1e-3


@pytest.mark.parametrize("kind", ["softmax", "svm"])
def test_it_recognises_what_is_linearly_apart_whatever_the_scale(kind):
    features, labels = blobs(30, seed=0)
    others, truth = blobs(30, seed=1)
    found = recognised(kind, features * 1000, labels, others * 1000)
    assert (found == truth).mean() > 0.95
