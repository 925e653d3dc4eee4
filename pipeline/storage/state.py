"""Resumable state of a stage: outside its outs, keyed by everything that it depends on."""

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline.errors import AtlasError

REMOVED = "removed."
"""Begins the name of state that is being removed; no key begins with it."""


def fingerprint(facts: Mapping[str, object]) -> str:
    """A short hash of JSON-able facts: parameters, code version, hashes of the inputs."""
    text = json.dumps(facts, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@contextmanager
def stage_state(folder: Path, key: str) -> Iterator[Path]:
    """Hold a stage's state folder `folder/key`, alone, while the stage runs.

    State under other keys (older parameters, code or inputs) is removed: it can never be resumed.
    The state is kept when the stage fails or is killed, and removed when it ends well, since its
    out stands then. Raises AtlasError where another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise AtlasError(
            f"Another process is running this stage (it holds {folder / 'lock'}).",
            fix="Wait for it, or stop it, then run again.",
        ) from None
    try:
        for left in folder.glob(f"{REMOVED}*"):
            shutil.rmtree(left)
        for other in folder.iterdir():
            if other.is_dir() and other.name != key:
                _remove(other)
        state = folder / key
        state.mkdir(exist_ok=True)
        yield state
        _remove(state)
    finally:
        lock.release()


def _remove(state: Path) -> None:
    """Remove state, hidden by a rename first: what a kill leaves of it is not taken for state."""
    hidden = state.with_name(f"{REMOVED}{state.name}")
    state.replace(hidden)
    shutil.rmtree(hidden)
