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
    asked for a signal; elsewhere nothing is done.
    """
    if (parent := multiprocessing.parent_process()) is not None:
        threading.Thread(target=_end_after, args=(parent.sentinel,), daemon=True).start()
    elif sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)
        if _adopted():
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


def _end_after(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)


def _adopted() -> bool:
    """Whether the parent died before Linux was asked to watch it.

    A process shares its parent's process group, unless a launcher (srun, setsid) made one for it;
    with init, which adopts orphans, it shares none.
    """
    parent = os.getppid()
    try:
        adopts = parent == 1 or Path(f"/proc/{parent}/comm").read_text() == "systemd\n"
        return adopts and os.getpgid(parent) != os.getpgrp()
    except OSError:  # it died just now
        return True
