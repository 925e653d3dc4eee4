"""A job for a pool of workers, and where it computes."""

import torch

CPU = torch.device("cpu")


def square(job: int, device: torch.device | None) -> int:
    return job * job
