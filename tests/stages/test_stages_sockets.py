"""No stage opens a port beyond this user."""

import sys
import time

import pytest

from tests.forked import Forked
from tests.sockets import listening
from tests.workspaces import write_params, write_photos

STAGES = ("prepare", "train", "evaluate", "scan", "project", "crop", "verify", "figures", "render")


def seen_listening(root, *words: str) -> set[str]:
    """Every address that a stage and its processes listened on while it ran."""
    log = root / "log"
    process, seen = Forked(*words, "-w", str(root), log=log), set()
    while process.poll() is None:
        seen |= listening(process.pid)
        time.sleep(0.01)
    assert process.returncode == 0, log.read_text()
    return seen


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/net"),
]
LOOPBACK = "0100007F:"
"""127.0.0.1 as /proc/net/tcp writes it."""


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A workspace whose stages have all run once."""
    root = tmp_path_factory.mktemp("run")
    write_photos(root / "photos", {"ant": (6, 6), "bee": (6, 6)})
    write_params(root, {"train": {"epochs": 3}, "figures": {"make": ["invariance"]}})
    return root


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_listens_on_nothing(root, stage):
    assert seen_listening(root, stage) == set()


@pytest.mark.parametrize("stage", ["scan", "project", "crop", "figures"])
def test_worker_processes_listen_on_the_loopback_interface_alone(root, stage):
    seen = seen_listening(root, stage, "--workers", "2")
    assert seen
    assert all(address.startswith(LOOPBACK) for address in seen)


@pytest.mark.parametrize("stage", ["render", "train"])
def test_processes_that_paint_or_train_together_listen_on_nothing(root, stage):
    assert seen_listening(root, stage, "--workers", "2") == set()
