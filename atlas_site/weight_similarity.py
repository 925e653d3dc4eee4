"""Channels whose filters are alike: the cosine of what feeds them."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float32, Float64

from atlas_site.connections import Weights
from atlas_site.similarity import nearest

DECIMALS = 6
"""Of a cosine, so that its order does not hang on how a product of matrices was summed."""


def filter_vectors(below: Sequence[Weights]) -> Float32[np.ndarray, "channel weight"]:
    """The filters of a layer's channels, each weight times the mean peak of the channel below.

    What is weighed so is what typically arrives. `below` are the weights from the layers that feed
    it, at least one.
    """
    parts = [w.kernels * w.mean_peak[:, None, None].astype(np.float32) for w in below]
    return np.concatenate([part.reshape(len(part), -1) for part in parts], axis=1)


def cosines(
    vectors: Float32[np.ndarray, "channel weight"],
) -> Float64[np.ndarray, "channel channel"]:
    """The cosine of each pair; 0 where one is blank."""
    wide = vectors.astype(np.float64)
    length = np.linalg.norm(wide, axis=1, keepdims=True)
    unit = np.divide(wide, length, out=np.zeros_like(wide), where=length > 0)
    found: Float64[np.ndarray, "channel channel"] = np.round(unit @ unit.T, DECIMALS)
    return found


def most_alike(
    cosine: Float64[np.ndarray, "channel channel"],
    alive: Bool[np.ndarray, " channel"],
    channel: int,
    count: int,
) -> list[int]:
    """The channels of the largest positive cosine with one, of equal ones the first.

    Dead ones and itself are left out.
    """
    found = nearest(-cosine, alive, channel, count)
    return [n for n in found if cosine[channel, n] > 0]
