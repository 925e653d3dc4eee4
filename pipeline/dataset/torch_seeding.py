"""Keyed random generators of torch, which draw as those of `seeding` do."""

import hashlib

import torch


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
