"""Linear classifiers on fixed features: scikit-learn's."""

import numpy as np
from jaxtyping import Float32, Int64
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from pipeline.transfer.folds import Classifier

DECAY = 1e-3
"""L2 penalty on the weights, beside the mean loss of an image, for features of unit mean square."""
STEPS = 1000
"""Most iterations; the losses are convex and need far fewer."""


def make_classifier(kind: Classifier, images: int) -> LogisticRegression | LinearSVC:
    """A classifier that is to learn from so many images.

    The softmax has one loss for all classes; the support vector machines, of squared hinge loss,
    are one for each class against the others.
    """
    # scikit-learn minimises C Σ loss + ½ |w|²: this C is the one of mean loss + DECAY |w|².
    inverse = 1 / (2 * DECAY * images)
    if kind == "softmax":
        return LogisticRegression(C=inverse, max_iter=STEPS)
    # In the primal, which draws nothing and converges in few steps where the dual takes hundreds.
    return LinearSVC(C=inverse, max_iter=STEPS, dual=False)


def recognised(
    kind: Classifier,
    train: Float32[np.ndarray, "image feature"],
    labels: Int64[np.ndarray, " image"],
    test: Float32[np.ndarray, "other feature"],
) -> Int64[np.ndarray, " other"]:
    """Learn from some images and say of what class others are.

    Both are scaled, in place, by one factor, so that those learnt from have unit mean square.
    """
    size = max(float(np.linalg.norm(train)) / train.size**0.5, 1e-12)
    for features in (train, test):
        features /= size
    learnt = make_classifier(kind, len(train)).fit(train, labels)
    found: Int64[np.ndarray, " other"] = learnt.predict(test)
    return found
