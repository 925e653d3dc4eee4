"""Real processes for tests: a cluster as users start one, and commands killed while they work."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partialmethod
from pathlib import Path
from typing import TypeVar

import numpy as np

from pipeline.atlas import chunks
from pipeline.scan.scan import Scan
from pipeline.storage.checked import read_checked
from pipeline.storage.state import REMOVED
from pipeline.workspace import Workspace
from tests.aimed import Aim
from tests.forked import Forked
from tests.imports import ROOT

DASK = str(Path(sys.executable).with_name("dask"))
PATIENCE_S = 120.0
"""Longer than anything takes; a test that waits so long has failed."""


def in_small_steps(*_: object) -> None:
    """Let a scan save a checkpoint after every chunk, and chunks be of two images."""
    Scan.run = partialmethod(Scan.run, save_every_s=0)  # type: ignore[assignment]
    chunks.CHUNK_IMAGES = 2


T = TypeVar("T")


def wait_for(look: Callable[[], T]) -> T:
    """Look again and again; the first thing seen that is true."""
    end = time.monotonic() + PATIENCE_S
    while not (seen := look()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)
    return seen


@contextmanager
def running(*command: str, code: Path = ROOT) -> Iterator[subprocess.Popen[bytes]]:
    """A process that finds the project's packages in a folder; it ends with the block."""
    environment = {**os.environ, "PYTHONPATH": str(code), "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def dask_scheduler(folder: Path) -> Iterator[str]:
    """A scheduler; yields its address."""
    note = folder / "scheduler.json"

    def address() -> str:
        try:
            return json.loads(note.read_text())["address"]
        except (FileNotFoundError, json.JSONDecodeError):
            return ""

    options = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard")
    with running(DASK, "scheduler", *options, "--scheduler-file", str(note)):
        yield wait_for(address)


@contextmanager
def dask_worker(scheduler: str, name: str, folder: Path, code: Path = ROOT) -> Iterator[None]:
    """A worker of one thread."""
    options = ("--nthreads", "1", "--no-dashboard", "--no-nanny", "--local-directory", str(folder))
    with running(DASK, "worker", scheduler, "--name", name, *options, code=code):
        yield


def chunks_done(workspace: Workspace, stage: str) -> int:
    """How many chunks a stage's state on disk says are finished."""
    state = workspace.state(stage)
    if list(state.glob(f"{REMOVED}*")):
        return 0  # it was finished
    for checkpoint in state.glob("*/checkpoint"):
        content = read_checked(checkpoint)
        assert content is not None
        with np.load(content) as arrays:
            return int(arrays["finished"].sum())
    return len(list(state.glob("*/*/finished.*")))


def kill_in_the_middle(workspace: Workspace, stage: str, *options: str) -> int:
    """SIGKILL `atlas <stage>` as it has kept its third chunk; how many its state says are done."""
    log, words = workspace.root / "log", (stage, "-w", str(workspace.root), *options)
    aim = Aim(workspace.root / "moments", 3, signal.SIGKILL, first=in_small_steps)
    assert Forked(*words, log=log, before=aim).wait(PATIENCE_S) == -signal.SIGKILL, log.read_text()
    return chunks_done(workspace, stage)
