"""Stages run in forks of a process that has imported everything, so that a fault costs no start."""

import ctypes
import hashlib
import os
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.forked import Forked

STAGES = ("prepare", "train", "evaluate", "scan", "project", "crop", "verify", "figures", "render")
OUTS = {
    "prepare": ("artifacts/manifest.csv", "artifacts/rejected.csv", "reports/prepare.json"),
    "train": ("artifacts/model", "reports/train.json", "reports/train_history.csv"),
    "evaluate": ("artifacts/predictions.csv", "reports/evaluate.json"),
    "scan": ("artifacts/scan.zarr",),
    "project": ("artifacts/projections.zarr",),
    "crop": ("artifacts/crops.zarr",),
    "verify": ("reports/verify.json",),
    "figures": ("artifacts/figures", "reports/figures.json"),
    "render": ("site",),
}
PATIENCE_S = 240.0
"""A stage of this tiny run that takes longer hangs."""
ORPHAN_S = 60.0
"""A process that lives so long after its stage was killed is an orphan; imports alone may take ten
seconds on a busy machine, and it looks for its parent after them."""

Before = Callable[[Path], None]
"""What a child does before its stage; given the workspace."""


class MountError(Exception):
    """This process may not mount a disk."""


@dataclass(frozen=True)
class Ended:
    """How a stage ended: its status (None: it hung and was killed) and what it said."""

    status: int | None
    said: str

    @property
    def clean(self) -> bool:
        """Whether it ended well, or in one line that says what is wrong."""
        if self.status is None or "Traceback" in self.said:
            return False
        return self.status == 0 or self.error.startswith(("Error: ", "Stopped"))

    @property
    def unmounted(self) -> bool:
        """Whether the disk that its fault needs could not be mounted."""
        return MountError.__name__ in self.said

    @property
    def error(self) -> str:
        """The last line."""
        return self.said.strip().splitlines()[-1] if self.said.strip() else ""


class Stage:
    """A stage at work in a fork, the first process of its own session."""

    def __init__(self, workspace: Path, *words: str, before: Before | None = None) -> None:
        self._log = workspace.with_name(f"{workspace.name}.{time.monotonic_ns()}.log")
        first = None if before is None else partial(before, workspace)
        self.process = Forked(*words, "-w", str(workspace), log=self._log, before=first)

    def signal(self, number: int, *, group: bool) -> None:
        """Send a signal to the stage, or to all processes of its session."""
        try:
            if group:
                os.killpg(self.process.pid, number)
            else:
                os.kill(self.process.pid, number)
        except ProcessLookupError:
            pass  # it had ended

    def end(self) -> Ended:
        """Wait for its end."""
        try:
            status: int | None = self.process.wait(PATIENCE_S)
        except TimeoutError:
            self.signal(signal.SIGKILL, group=True)
            self.process.wait()
            status = None
        said = self._log.read_text(errors="replace") if self._log.exists() else ""
        return Ended(status, said)


def run(workspace: Path, *words: str, before: Before | None = None) -> Ended:
    """Run a stage to its end."""
    return Stage(workspace, *words, before=before).end()


def contents(workspace: Path, *stages: str) -> dict[str, str]:
    """The sha256 of every file of some stages' outs, and of what was left beside them."""
    found = {}
    for out in (out for stage in stages for out in OUTS[stage]):
        top = workspace / out
        files = [top] if top.is_file() else [p for p in top.rglob("*") if p.is_file()]
        for path in [*files, *top.parent.glob(f".{top.name}.*")]:
            name = str(path.relative_to(workspace))
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
    return found


def copied(workspace: Path, to: Path, without: str | None = None) -> Path:
    """A copy of a workspace, without the outs of one stage."""
    shutil.copytree(workspace, to, symlinks=True)
    for out in OUTS[without] if without else ():
        path = to / out
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    return to


def session_is_empty(leader: int) -> bool:
    """Whether no process of a session is left, as soon as one that still imports has ended."""
    end = time.monotonic() + ORPHAN_S
    while session(leader):
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def session(leader: int) -> list[int]:
    """The processes of a session that have not ended."""
    return [pid for pid in _pids() if _session(pid) == leader]


def _pids() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal()]


def _session(pid: int) -> int | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" else int(fields[3])


def mount_small_disk(at: Path, size: int, files: int = 0) -> None:
    """Give this process alone a disk at a folder, of so many bytes, and files if not 0.

    Raises MountError.
    """
    libc, limits = ctypes.CDLL(None, use_errno=True), f"size={size}"
    limits += f",nr_inodes={files}" if files else ""
    calls = (
        lambda: libc.unshare(0x00020000),  # CLONE_NEWNS
        lambda: libc.mount(b"none", b"/", None, 0x44000, None),  # MS_REC | MS_PRIVATE
        lambda: libc.mount(b"tmpfs", str(at).encode(), b"tmpfs", 0, limits.encode()),
    )
    for call in calls:
        if call() != 0:
            raise MountError(os.strerror(ctypes.get_errno()))
