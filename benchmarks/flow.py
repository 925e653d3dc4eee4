"""What is no work: `atlas --help`, `dvc repro` with nothing to do; and the whole default run."""

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.row import Row

ROOT = Path(__file__).resolve().parents[1]


def rows(quick: bool) -> Iterator[Row]:
    """The help, the default run of what is committed, then a run of nothing.

    `quick`: no default run; the run of nothing is this checkout's own, and left out where its
    pipeline has not been run.
    """
    yield _help_row()
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


def _help_row() -> Row:
    return Row(
        name="`atlas --help`",
        against="",
        measured=min(_seconds(["atlas", "--help"], ROOT) for _ in range(5)),
        unit="s",
        goal=1.5,
        better="lower",
        note="the least of five",
    )


def _nothing_row(checkout: Path, repeats: int) -> Row:
    files = sum(1 for path in (checkout / "site").rglob("*") if path.is_file())
    return Row(
        name="`dvc repro` with nothing to do",
        against="",
        measured=min(_repro_s(checkout) for _ in range(repeats)),
        unit="s",
        goal=1.5,
        better="lower",
        note=f"site of {files} files; the least of {repeats}",
    )


def _up_to_date(checkout: Path) -> bool:
    command = ["dvc", "status"]
    status = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=True)
    return "up to date" in status.stdout


def _repro_s(checkout: Path) -> float:
    return _seconds(["dvc", "repro", "--quiet"], checkout)


def _seconds(command: Sequence[str], checkout: Path) -> float:
    """Seconds that a command takes, with the checkout's own code."""
    environment = os.environ | {"PYTHONPATH": str(checkout)}
    start = time.perf_counter()
    subprocess.run(command, cwd=checkout, env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start
