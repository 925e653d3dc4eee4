"""How long `dvc repro` takes when there is nothing to do."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.row import Row

ROOT = Path(__file__).resolve().parents[1]


def rows(quick: bool) -> Iterator[Row]:
    """One row, where the pipeline of this checkout has been run; the size of its site decides."""
    status = subprocess.run(["dvc", "status"], cwd=ROOT, capture_output=True, text=True, check=True)
    if "up to date" not in status.stdout:
        return
    seconds = min(_repro_s() for _ in range(1 if quick else 3))
    files = sum(1 for path in (ROOT / "site").rglob("*") if path.is_file())
    yield Row(
        name="`dvc repro` with nothing to do",
        against="",
        measured=seconds,
        unit="s",
        goal=5,
        better="lower",
        note=f"site of {files} files",
    )


def _repro_s() -> float:
    start = time.perf_counter()
    subprocess.run(["dvc", "repro", "--quiet"], cwd=ROOT, check=True)
    return time.perf_counter() - start
