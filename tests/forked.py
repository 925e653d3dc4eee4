"""The command `atlas` in a fork of a process that has imported it: a start costs nothing."""

import os
import signal
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path


class Forked:
    """`atlas` with some words at work, the first process of its own session; as a Popen.

    `before` is done in it first.
    """

    def __init__(self, *words: str, log: Path, before: Callable[[], object] | None = None) -> None:
        context = get_context("forkserver")
        context.set_forkserver_preload(["tests.faults.preload"])
        self._process = context.Process(target=_child, args=(words, str(log), before))
        self._process.start()

    @property
    def pid(self) -> int:
        """Of the process, and of its session."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """Its status; None while it runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """Its status; None while it runs."""
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; its status."""
        self._process.join(timeout)
        if self.returncode is None:
            raise TimeoutError(f"atlas ran longer than {timeout} seconds")
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send it a signal."""
        if self.returncode is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()


def _child(words: tuple[str, ...], log: str, before: Callable[[], object] | None) -> None:
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests ignore it
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o666)
    os.dup2(output, 1)
    os.dup2(output, 2)
    from stages.cli import main

    if before is not None:
        before()
    main(words, prog_name="atlas")
