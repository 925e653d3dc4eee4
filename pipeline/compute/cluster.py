"""Workers whose tasks compute with torch: on a device, with one thread a task."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from dask.system import CPU_COUNT

from pipeline.compute import pool
from pipeline.compute.device import device_for_slot, parse_device
from pipeline.compute.malloc import disable_malloc_trim
from pipeline.compute.pool import Place, Pool


@dataclass(frozen=True)
class DevicePlace(Place):
    """A device of torch, which tasks get."""

    device: torch.device

    def here(self, slot: int | None) -> torch.device:
        """The device; a worker of our own takes its card by its number.

        Torch then uses one thread, so that a task's bits depend on no worker's number of cores. A
        process of our own keeps the memory that it frees.
        """
        torch.set_num_threads(1)
        if slot is None:
            return parse_device(str(self.device))
        disable_malloc_trim()
        return device_for_slot(self.device, slot)

    def __str__(self) -> str:
        """The device's name."""
        return str(self.device)


@contextmanager
def workers(
    scheduler: str | None, count: int, device: torch.device, cores: int = CPU_COUNT
) -> Iterator[Pool]:
    """The workers of `pool.open_pool`, on a device.

    For 0, one process per card where there are several. `cores` threads in all, and one per process
    on a GPU.
    """
    if not scheduler and count == 0 and device == torch.device("cuda"):
        count = torch.cuda.device_count() if torch.cuda.device_count() > 1 else 0
    threads = 1 if device.type == "cuda" else max(1, cores // max(1, count))
    threads_before = torch.get_num_threads()
    try:
        with pool.open_pool(scheduler, count, DevicePlace(device), threads) as made:
            yield made
    finally:
        torch.set_num_threads(threads_before)
