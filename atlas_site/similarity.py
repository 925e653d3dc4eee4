"""Distances between channels: by the classes and the images that excite them."""

import numpy as np
from jaxtyping import Bool, Float, Float32, Int32


def distances(
    mean_peak: Float32[np.ndarray, "channel class"], images: Int32[np.ndarray, "channel rank"]
) -> Float32[np.ndarray, "channel channel"]:
    """Squared distances between channels, of one layer or of several.

    The squared distance of the roots of their shares of mean peak by class, from 0 to 2, plus the
    share of their strongest images that they do not have in common, from 0 to 1.
    """
    mean = np.clip(np.nan_to_num(mean_peak.astype(np.float32), nan=0.0), 0, None)
    total = mean.sum(axis=1, keepdims=True)
    root = np.sqrt(np.divide(mean, total, out=np.zeros_like(mean), where=total > 0))
    # einsum, since the order of its sums does not depend on how many threads there are.
    apart = 2 - 2 * np.einsum("ic,jc->ij", root, root)
    common = shared_images(images) / max(1, images.shape[1])
    distance: Float32[np.ndarray, "channel channel"] = np.clip(apart, 0, None) + (1 - common)
    return distance


def shared_images(
    images: Int32[np.ndarray, "channel rank"],
) -> Float32[np.ndarray, "channel channel"]:
    """How many of the strongest images each pair of channels has in common."""
    rows, position = np.unique(images, return_inverse=True)
    member = np.zeros((len(images), len(rows)), np.float32)
    np.put_along_axis(member, position.reshape(images.shape), 1, axis=1)
    member = member[:, rows >= 0]
    # Sums of ones are exact in any order.
    return member @ member.T


def nearest(
    distance: Float[np.ndarray, "channel channel"],
    alive: Bool[np.ndarray, " channel"],
    channel: int,
    count: int,
) -> list[int]:
    """The channels nearest to one, of equal ones the first; dead ones and itself left out."""
    order = np.argsort(distance[channel], kind="stable")
    return [int(n) for n in order if alive[n] and n != channel][:count]
