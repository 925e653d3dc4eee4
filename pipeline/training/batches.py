"""Batches of image rows, and their way to the device."""

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor

Rows = Int64[np.ndarray, " image"]


def epoch_batches(count: int, size: int, order: torch.Generator) -> list[Rows]:
    """All image rows in a drawn order, cut into batches; the last may be smaller."""
    rows: Rows = torch.randperm(count, generator=order).numpy()
    return [rows[first : first + size] for first in range(0, count, size)]


def moved(values: np.ndarray, device: torch.device) -> Tensor:
    """An array as a tensor on a device; to a GPU through pinned memory, without waiting."""
    tensor = torch.from_numpy(values)
    if device.type == "cpu":
        return tensor
    return tensor.pin_memory().to(device, non_blocking=True)
