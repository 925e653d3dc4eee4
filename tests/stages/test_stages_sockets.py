"""No stage opens a port beyond this user."""

import os
import subprocess
import sys
import time

import pytest

from tests.pipeline.training.tiny import make_workspace
from tests.sockets import listening

ATLAS = [sys.executable, "-c", "from stages.cli import main; main()"]


def seen_listening(root, *words: str) -> set[str]:
    """Every address that a stage and its processes listened on while it ran."""
    log = root / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*ATLAS, *words, "-w", str(root)],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        seen = set()
        while process.poll() is None:
            seen |= listening(process.pid)
            time.sleep(0.01)
    assert process.returncode == 0, log.read_text()
    return seen


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/net")
def test_processes_that_train_together_listen_on_nothing(tmp_path):
    root = make_workspace(tmp_path, epochs=3)
    assert seen_listening(root, "train", "--workers", "2") == set()
