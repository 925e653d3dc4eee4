"""A process ends with the one that started it; Ctrl-C is for the first of them."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.parent import ctrl_c_withheld
from tests.stages.processes import wait_for

CHILD = """
import signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)  # ignored where the tests run in the background
print("ready", flush=True)
sys.stdin.read()
"""


def ends_after_ctrl_c(child: "subprocess.Popen[str]") -> int:
    """The status of a process that is interrupted, then asked to end."""
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


STAGE = """
import sys, time
from pathlib import Path
from pipeline.parent import end_with_parent
folder = Path(sys.argv[1])
(folder / "started").touch()
while not (folder / "go").exists():
    time.sleep(0.01)
end_with_parent()
(folder / "watching").touch()
time.sleep(60)
"""
SHELLS = {
    "no shell": ["{python}", "-c", STAGE, "{folder}"],
    "a shell that stays": ["/bin/sh", "-c", '"$0" "$@"; true', "{python}", "-c", STAGE, "{folder}"],
    "two of them": [
        *("/bin/sh", "-c", '"$0" "$@"; true'),
        *("/bin/sh", "-c", '"$0" "$@"; true', "{python}", "-c", STAGE, "{folder}"),
    ],
}
DVC = "import subprocess, sys, time; subprocess.Popen(sys.argv[1:]); time.sleep(60)"
"""Stands for `dvc repro`: it names the stage in the environment of what it starts."""


@pytest.mark.parametrize("meanwhile", ["importing", "at work"])
@pytest.mark.parametrize("words", SHELLS.values(), ids=SHELLS)
def test_a_stage_ends_when_dvc_is_killed_whatever_stands_between(tmp_path, words, meanwhile):
    command = [word.format(python=sys.executable, folder=tmp_path) for word in words]
    starts = f"import os; os.environ['DVC_STAGE'] = 'scan'; {DVC}"
    dvc = subprocess.Popen([sys.executable, "-c", starts, *command])
    wait_for((tmp_path / "started").exists)
    stage = running(tmp_path)
    if meanwhile == "at work":
        (tmp_path / "go").touch()
        wait_for((tmp_path / "watching").exists)
        assert running(tmp_path) == stage
    dvc.kill()
    dvc.wait()
    (tmp_path / "go").touch()
    wait_for(lambda: not running(tmp_path))
    assert (tmp_path / "watching").exists() == (meanwhile == "at work")


def test_a_stage_that_was_started_by_hand_works_on(tmp_path):
    (tmp_path / "go").touch()
    command = [sys.executable, "-c", STAGE, str(tmp_path)]
    stage = subprocess.Popen(command, env=os.environ | {"DVC_STAGE": "scan"})
    wait_for((tmp_path / "watching").exists)
    assert stage.poll() is None
    stage.kill()
    stage.wait()


def running(folder: Path) -> set[int]:
    """The processes of python whose last argument is the folder."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")[:-1]
        except OSError:
            continue
        if (
            words[-1:] == [os.fsencode(str(folder))]
            and words[1] == b"-c"
            and b"watching" in words[2]
        ):
            found.add(int(process.name))
    return found
