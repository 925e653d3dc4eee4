"""How long the default run takes from an empty checkout, and `dvc repro` with nothing to do."""

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.row import Row

ROOT = Path(__file__).resolve().parents[1]


def rows(quick: bool) -> Iterator[Row]:
    """The default run of what is committed, then a run of nothing; `quick`: that alone, here.

    It is left out where the pipeline of this checkout has not been run.
    """
    if quick:
        if _up_to_date(ROOT):
            yield _nothing_row(ROOT, repeats=1)
        return
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "feature atlas"
        subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
        seconds = _repro_s(clone)
        yield Row(
            name="the default run (demo preset), after install",
            against="",
            measured=seconds / 60,
            unit="min",
            goal=10,
            better="lower",
            note="`dvc repro` in a fresh clone, all stages",
        )
        yield _nothing_row(clone, repeats=3)


def _nothing_row(checkout: Path, repeats: int) -> Row:
    files = sum(1 for path in (checkout / "site").rglob("*") if path.is_file())
    return Row(
        name="`dvc repro` with nothing to do",
        against="",
        measured=min(_repro_s(checkout) for _ in range(repeats)),
        unit="s",
        goal=5,
        better="lower",
        note=f"site of {files} files",
    )


def _up_to_date(checkout: Path) -> bool:
    command = ["dvc", "status"]
    status = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=True)
    return "up to date" in status.stdout


def _repro_s(checkout: Path) -> float:
    """Seconds of `dvc repro`, with the checkout's own code."""
    start = time.perf_counter()
    environment = os.environ | {"PYTHONPATH": str(checkout)}
    subprocess.run(["dvc", "repro", "--quiet"], cwd=checkout, env=environment, check=True)
    return time.perf_counter() - start
