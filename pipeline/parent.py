"""Processes that end with the one that started them, and by its word alone."""

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import wait
from pathlib import Path


def end_with_parent() -> None:
    """End this process when its parent dies, and at once if it has died already.

    A process of `multiprocessing` watches the pipe that its parent holds. For any other, Linux is
    asked for a signal, and where a shell stays between the two, DVC is watched as well; elsewhere
    nothing is done.
    """
    if (parent := multiprocessing.parent_process()) is not None:
        threading.Thread(target=_exit_after, args=(parent.sentinel,), daemon=True).start()
    elif sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)
        starter = _starter()
        try:
            if starter != os.getppid():
                watched = os.pidfd_open(starter)
                threading.Thread(target=_terminate_after, args=(watched,), daemon=True).start()
            ended = _adopted(starter)
        except ProcessLookupError:
            ended = True
        if ended:
            os.kill(os.getpid(), signal.SIGTERM)


@contextmanager
def ctrl_c_withheld() -> Iterator[None]:
    """Keep Ctrl-C from the processes and threads that this thread starts in the block.

    A terminal sends it to a whole group of processes, and each would end in a traceback, even while
    it imports. It is for the first of them, which ends the others.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _exit_after(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)


def _terminate_after(process: int) -> None:
    wait([process])
    os.kill(os.getpid(), signal.SIGTERM)


def _starter() -> int:
    """The process that started this one: its parent, or DVC where a shell stands between them.

    DVC runs a stage by `$SHELL -c`. Bash makes way for the stage; dash and fish wait beside it, and
    so outlive DVC. DVC is the nearest ancestor in whose own environment the stage is not named.
    """
    pid = os.getppid()
    if stage := os.environ.get("DVC_STAGE"):
        named = b"\0DVC_STAGE=" + os.fsencode(stage) + b"\0"
        while pid > 1 and named in b"\0" + _about(pid, "environ"):
            pid = int(_about(pid, "stat").rpartition(b")")[2].split()[1])
    return pid


def _adopted(starter: int) -> bool:
    """Whether the process that started this one died before it was watched, and init took over.

    A process shares its starter's process group, unless a launcher (srun, setsid) made one for it;
    with init, which adopts orphans, it shares none.
    """
    adopts = starter == 1 or _about(starter, "comm") == b"systemd\n"
    return adopts and os.getpgid(starter) != os.getpgrp()


def _about(pid: int, what: str) -> bytes:
    """A file of a process under /proc; empty where it is not for this user to read."""
    try:
        return Path(f"/proc/{pid}/{what}").read_bytes()
    except OSError:
        return b""
