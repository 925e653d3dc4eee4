"""Error rates of probabilities, as the paper reports them."""

import numpy as np
from jaxtyping import Int64

from pipeline.evaluation.classifier import Probabilities
from pipeline.storage.error_rates import ErrorRates

TOP = 5
"""Classes that the top-5 error allows."""

Labels = Int64[np.ndarray, " image"]
"""Positions among the network's classes; −1 for an image of none of them."""


def error_rates(
    one_crop: Probabilities, ten_crops: Probabilities | None, labels: Labels
) -> ErrorRates:
    """The rates of images classified by one crop and, unless None, by ten."""
    known = labels >= 0
    if not known.any():
        return ErrorRates(images=0)
    labels, one_crop = labels[known], one_crop[known]
    ten_crops = None if ten_crops is None else ten_crops[known]
    ten = {}
    if ten_crops is not None:
        ten = {
            "top1_error_10crop": error_rate(ten_crops, labels, 1),
            "top5_error_10crop": error_rate(ten_crops, labels, TOP),
        }
    return ErrorRates(
        top1_error=error_rate(one_crop, labels, 1),
        top5_error=error_rate(one_crop, labels, TOP),
        **ten,
        mean_class_accuracy=mean_class_accuracy(one_crop, labels),
        images=len(labels),
    )


def error_rate(probabilities: Probabilities, labels: Labels, top: int) -> float:
    """Share of the images whose class is not among the `top` most probable.

    Of equal probabilities the earlier class counts as the more probable.
    """
    true = np.take_along_axis(probabilities, labels[:, None], axis=1)
    earlier = np.arange(probabilities.shape[1]) < labels[:, None]
    ahead_of_true = (probabilities > true) | ((probabilities == true) & earlier)
    return float((ahead_of_true.sum(axis=1) >= top).mean())


def mean_class_accuracy(probabilities: Probabilities, labels: Labels) -> float:
    """Mean over the classes of the share of their images that are recognised."""
    right = probabilities.argmax(axis=1) == labels
    counts = np.bincount(labels)
    hits = np.bincount(labels, weights=right)
    return float((hits[counts > 0] / counts[counts > 0]).mean())
