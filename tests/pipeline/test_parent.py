"""Ctrl-C is for the process that started the others."""

import signal
import subprocess
import sys

from pipeline.parent import ctrl_c_withheld

CHILD = """
import signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)  # ignored where the tests run in the background
print("ready", flush=True)
sys.stdin.read()
"""


def ends_after_ctrl_c(child: "subprocess.Popen[str]") -> int:
    """The status of a process that is interrupted, then told to end."""
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    child.send_signal(signal.SIGINT)
    child.communicate("")
    return child.returncode


def start() -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", CHILD]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(command, text=True, **pipes)  # type: ignore[call-overload]


def test_a_process_that_is_started_meanwhile_does_not_hear_it():
    with ctrl_c_withheld():
        child = start()
    later = start()
    assert ends_after_ctrl_c(child) == 0
    assert ends_after_ctrl_c(later) == -signal.SIGINT
