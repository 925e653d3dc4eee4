"""Keyed random generators: every draw comes from the seed and the place where it is made.

Nothing is carried from one draw to the next, so a stopped run may resume anywhere, and any number
of processes make the same draws.
"""

import hashlib
import zlib

import numpy as np
import torch


def rng_for(seed: int, purpose: str, *place: int) -> np.random.Generator:
    """NumPy's generator for one purpose at one place, say `(seed, "fold", per_class, fold)`.

    Other arguments give independent draws; `place` holds no negative number.
    """
    key = (zlib.crc32(purpose.encode()), *place)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def generator_for(
    seed: int, purpose: str, *place: int, device: torch.device | None = None
) -> torch.Generator:
    """Torch's generator for one purpose at one place, say `(seed, "order", epoch)`.

    Equal arguments give equal draws on one kind of device, in every process.
    """
    # Not a SeedSequence: a seed gives the weights that it has always given.
    text = ":".join(map(str, (seed, purpose, *place)))
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    return torch.Generator(device or "cpu").manual_seed(number >> 1)
