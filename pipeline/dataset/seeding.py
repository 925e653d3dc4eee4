"""Keyed random generators of NumPy: every draw comes from the seed and the place where it is made.

Nothing is carried from one draw to the next, so a stopped run may resume anywhere, and any number
of processes make the same draws.
"""

import zlib

import numpy as np


def rng_for(seed: int, purpose: str, *place: int) -> np.random.Generator:
    """NumPy's generator for one purpose at one place, say `(seed, "fold", per_class, fold)`.

    Other arguments give independent draws; `place` holds no negative number.
    """
    key = (zlib.crc32(purpose.encode()), *place)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
