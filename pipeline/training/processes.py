"""Several processes of this machine that train together, started by the training itself."""

import logging
import os
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import torch
from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from pipeline.compute.device import cores
from pipeline.errors import AtlasError

logger = logging.getLogger(__name__)
Argument = TypeVar("Argument")
OWN_STORE = ("TORCH_DISABLE_SHARE_RDZV_TCP_STORE", "1")
# The store that torch shares between restarts keeps the addresses of the processes that died, and
# the new ones wait for those now and then.
RESTARTS = 3
"""Times that the group starts again after a process died."""


def process_count(device: torch.device, wanted: int) -> int:
    """Processes to train with: as many as wanted, or one per GPU of a bare `cuda`.

    Raises AtlasError where more are wanted than there are GPUs for.
    """
    if device.type != "cuda":
        return max(1, wanted)
    cards = torch.cuda.device_count() if device.index is None else 1
    if wanted > cards:
        raise AtlasError(
            f"{wanted} processes cannot train on {cards} GPU(s) of {device}: each needs its own.",
            fix="Lower ATLAS_WORKERS (0 takes every GPU), or set ATLAS_DEVICE=cuda.",
        )
    return max(1, wanted or cards)


def launch(work: Callable[[Argument], None], argument: Argument, count: int) -> None:
    """Call `work(argument)` in `count` new processes, through torch's elastic launch.

    If one dies, all are started again and go on from the last checkpoint, a few times over.
    `work` must be importable. An AtlasError in a process is raised here and not tried again. Asked
    by a signal to stop, it ends the processes and raises KeyboardInterrupt.
    """
    os.environ.setdefault(*OWN_STORE)
    with tempfile.TemporaryDirectory(prefix="atlas-train-") as folder:
        config = LaunchConfig(
            min_nodes=1,
            max_nodes=1,
            nproc_per_node=count,
            run_id=str(os.getpid()),
            rdzv_backend="c10d",
            rdzv_endpoint="localhost:0",
            max_restarts=RESTARTS,
            monitor_interval=0.2,
        )
        fault = Path(folder) / "fault"
        try:
            elastic_launch(config, _guarded)(work, argument, fault)
        except SignalException:
            raise KeyboardInterrupt from None
        except ChildFailedError as error:
            _raise_fault(fault)
            _, failure = error.get_first_failure()
            raise AtlasError(
                f"A training process died {RESTARTS + 1} times, "
                f"the last with exit code {failure.exitcode}.",
                fix="See what it said above; run again to go on from the last checkpoint.",
            ) from error
        _raise_fault(fault)


def _guarded(work: Callable[[Argument], None], argument: Argument, fault: Path) -> None:
    """Run the work in a process of the group; leave word of an AtlasError and stay ended."""
    if fault.exists():
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the launcher ends them
    torch.set_num_threads(max(1, cores() // int(os.environ["LOCAL_WORLD_SIZE"])))
    try:
        work(argument)
    except AtlasError as error:
        fault.write_text(f"{error.problem}\0{error.fix}", encoding="utf-8")
        raise


def _raise_fault(fault: Path) -> None:
    if fault.exists():
        problem, fix = fault.read_text(encoding="utf-8").split("\0")
        raise AtlasError(problem, fix=fix)
