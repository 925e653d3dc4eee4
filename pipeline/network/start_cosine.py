"""How much of a conv filter is still what it was before the first step."""

import numpy as np
from jaxtyping import Float, Float32

Filters = Float[np.ndarray, "out in row col"]


def start_cosine(filters: Filters, start: Filters) -> Float32[np.ndarray, " out"]:
    """The magnitude of the cosine between each filter and what it was before the first step.

    1 where training only scaled the filter or reversed its sign, 0 for a filter of zeros.
    """
    now, then = (one.reshape(len(one), -1).astype(np.float64) for one in (filters, start))
    lengths = np.linalg.norm(now, axis=1) * np.linalg.norm(then, axis=1)
    products = np.abs((now * then).sum(axis=1))
    cosine = np.divide(products, lengths, out=np.zeros_like(lengths), where=lengths > 0)
    found: Float32[np.ndarray, " out"] = np.minimum(cosine, 1).astype(np.float32)
    return found


def tenths(cosines: Float32[np.ndarray, " out"]) -> tuple[int, ...]:
    """How many cosines are in each tenth from 0 to 1; 1 is in the last."""
    place = np.minimum((10 * cosines).astype(int), 9)
    return tuple(np.bincount(place, minlength=10).tolist())
