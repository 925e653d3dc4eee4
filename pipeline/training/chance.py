"""Every random draw of a training, from the seed and the place where it is made.

Nothing is carried from one draw to the next, so a run may stop and go on anywhere.
"""

import hashlib

import torch


def generator(
    seed: int, purpose: str, *place: int, device: torch.device | None = None
) -> torch.Generator:
    """The generator for one purpose at one place, say `(seed, "order", epoch)`.

    Equal arguments give equal draws on one kind of device, in every process.
    """
    text = ":".join(map(str, (seed, purpose, *place)))
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    return torch.Generator(device or "cpu").manual_seed(number >> 1)
