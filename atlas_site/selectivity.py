"""Selectivity: the spread of a channel's peaks over the classes."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64

SHOWN_CLASSES = 8


@dataclass(frozen=True)
class ClassSpread:
    """The preference of a layer's channels for classes, from the mean peak of each class's images.

    Classes without an image count for nothing; negative means (class scores) count as 0.
    """

    selectivity: Float64[np.ndarray, " channel"]
    """(best − rest) / (best + rest): the best class's mean against the mean of the others'.

    0 for a channel that likes all classes alike, 1 for one that only fires for one class.
    """
    effective_classes: Float64[np.ndarray, " channel"]
    """exp of the entropy of the means as shares: the number of classes that matter, from 1 up.

    0 for a dead channel.
    """


def class_spread(mean_peak: Float32[np.ndarray, "channel class"]) -> ClassSpread:
    """The spread of every channel of a layer."""
    mean = np.clip(np.nan_to_num(mean_peak.astype(np.float64), nan=0.0), 0, None)
    seen = ~np.isnan(mean_peak).all(axis=0)
    return ClassSpread(_selectivity(mean, seen), _effective_classes(mean))


def _selectivity(
    mean: Float64[np.ndarray, "channel class"], seen: Bool[np.ndarray, " class"]
) -> Float64[np.ndarray, " channel"]:
    others = int(seen.sum()) - 1
    if others < 1:
        return np.zeros(len(mean))
    best = mean.max(axis=1)
    rest = (mean.sum(axis=1) - best) / others
    return _ratio(best - rest, best + rest)


def _effective_classes(
    mean: Float64[np.ndarray, "channel class"],
) -> Float64[np.ndarray, " channel"]:
    total = mean.sum(axis=1)
    share = _ratio(mean, np.broadcast_to(total[:, None], mean.shape))
    entropy = -(share * np.log(np.where(share > 0, share, 1))).sum(axis=1)
    return np.where(total > 0, np.exp(entropy), 0.0)


def _ratio(
    part: Float64[np.ndarray, "*axis"], whole: Float64[np.ndarray, "*axis"]
) -> Float64[np.ndarray, "*axis"]:
    """part / whole, and 0 where the whole is 0."""
    share: Float64[np.ndarray, "*axis"] = np.zeros(part.shape)
    np.divide(part, whole, out=share, where=whole > 0)
    return share


def top_classes(mean_peak: Float32[np.ndarray, " class"]) -> list[tuple[int, float]]:
    """The classes of highest mean peak: (position in the card's classes, mean), best first.

    Of equal means the first class wins; classes without an image or with a mean of 0 are left out.
    """
    order = np.argsort(-np.nan_to_num(mean_peak, nan=-np.inf), kind="stable")[:SHOWN_CLASSES]
    return [(int(c), float(mean_peak[c])) for c in order if mean_peak[c] > 0]


def preference(
    mean_peak: Float32[np.ndarray, "channel class"],
) -> Float64[np.ndarray, "channel class"]:
    """(class − rest) / (class + rest) of the mean peaks: 1 where only this class excites it."""
    seen = ~np.isnan(mean_peak).all(axis=0)
    mean = np.clip(np.nan_to_num(mean_peak.astype(np.float64), nan=0.0), 0, None)
    others = max(1, int(seen.sum()) - 1)
    rest = (mean.sum(axis=1, keepdims=True) - mean) / others
    whole = mean + rest
    share: Float64[np.ndarray, "channel class"] = np.zeros(whole.shape)
    np.divide(mean - rest, whole, out=share, where=whole > 0)
    return share
