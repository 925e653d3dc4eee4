"""A real `dvc repro` that is killed, or stopped by Ctrl-C: its stage ends too, and resumes."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from tests.faults.forks import copied, run, session_is_empty
from tests.imports import ROOT
from tests.stages.processes import wait_for

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="the kernel's help is Linux's"),
]
FLOW = {
    "train": {
        "cmd": "atlas train --checkpoint-s 0",
        "deps": ["artifacts/manifest.csv"],
        "outs": ["artifacts/model"],
    }
}


@contextmanager
def repro(folder: Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`dvc repro` at work, the first process of its own session."""
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "DVC_SITE_CACHE_DIR": str(folder / ".dvc" / "site"),
    }
    with log.open("wb") as file:
        process = subprocess.Popen(
            ["dvc", "repro"],
            cwd=folder,
            env=environment,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            # Ignored where the tests are in the background, and then by all that they start.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_dvc_repro_killed_and_stopped(finished, tmp_path, tally):
    """Killed once a checkpoint is there; started again, stopped by Ctrl-C as soon as it resumed."""
    folder, log = copied(finished, tmp_path / "run", without="train"), tmp_path / "log"
    params = yaml.safe_load((folder / "params.yaml").read_text())
    params["train"]["epochs"] = 200
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    (folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": FLOW}))
    (folder / ".dvc").mkdir()
    config = (ROOT / ".dvc" / "config").read_text()
    (folder / ".dvc" / "config").write_text(config)
    (folder / ".dvc" / "config.local").write_text("[core]\n    no_scm = true\n")
    state = folder / ".state" / "train"
    with repro(folder, log) as process:
        wait_for(lambda: list(state.glob("*/checkpoint.pt")) or process.poll() is not None)
        process.send_signal(signal.SIGKILL)
        status = process.wait()
        tally.note(
            status == -signal.SIGKILL and session_is_empty(process.pid),
            f"SIGKILL to dvc: {status} {log.read_text()[-600:]}",
        )
    with repro(folder, log) as process:
        wait_for(lambda: "Resuming after" in log.read_text() or process.poll() is not None)
        os.killpg(process.pid, signal.SIGINT)
        status, said = process.wait(), log.read_text()
        tally.note(
            status > 0
            and "Stopped; run again to resume." in said
            and "Traceback" not in said
            and session_is_empty(process.pid),
            f"Ctrl-C to dvc and its stage: {status} {said[-600:]}",
        )
    ended = run(folder, "train")
    tally.note(
        ended.status == 0 and "Resuming after" in ended.said,
        f"the same stage again: {ended.status} {ended.said[-600:]}",
    )
    tally.settle()
