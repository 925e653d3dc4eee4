"""Resumable state of a stage: outside its outs, keyed by everything that it depends on."""

import hashlib
import json
import logging
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline.errors import AtlasError
from pipeline.storage.checked import read_checked, write_checked

log = logging.getLogger(__name__)

FACTS = "facts.json"
REMOVED = "removed."
"""Begins the name of state that is being removed; no key begins with it."""


def fingerprint(facts: Mapping[str, object]) -> str:
    """A short hash of JSON-able facts: parameters, code version, hashes of the inputs."""
    text = json.dumps(facts, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold a stage's folder alone. Raises AtlasError where another process holds it."""
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
        yield
    finally:
        lock.release()


@contextmanager
def stage_state(folder: Path, key: str, *, keep_others: bool = False) -> Iterator[Path]:
    """Hold a stage's state folder `folder/key`, alone, while the stage runs.

    State under other keys (older parameters or inputs) is removed, unless it is costly and
    `keep_others` says so. The state is kept when the stage fails or is killed, and removed when it
    ends well, since its out is complete then. Raises AtlasError where another process holds it.
    """
    with held(folder):
        for left in folder.glob(f"{REMOVED}*"):
            shutil.rmtree(left)
        for other in () if keep_others else _keys(folder):
            if other.name != key:
                _remove(other)
        state = folder / key
        state.mkdir(exist_ok=True)
        yield state
        _remove(state)


@contextmanager
def costly_state(folder: Path, facts: Mapping[str, object]) -> Iterator[Path]:
    """Hold the state of a stage that takes long, as `stage_state` does, under a key of its facts.

    What other runs left unfinished is kept, and named in the log with what differs.
    """
    with stage_state(folder, fingerprint(facts), keep_others=True) as state:
        note_facts(state, facts)
        for left in kept_beside(folder, facts):
            log.info("A stopped run is kept: %s; remove it if it is not needed.", left)
        yield state


def note_facts(state: Path, facts: Mapping[str, object]) -> None:
    """Keep beside the state what its key was made from, so that it can be recognised later."""
    text = json.dumps(facts, sort_keys=True).encode()
    write_checked(state / FACTS, lambda file: file.write(text))


def kept_beside(folder: Path, facts: Mapping[str, object]) -> list[str]:
    """The state of a stage under other keys than these facts': its folder and what differs."""
    mine = _flat(json.loads(json.dumps(facts)))
    found = []
    for state in sorted(_keys(folder)):
        if state.name == fingerprint(facts) or (content := read_checked(state / FACTS)) is None:
            continue
        theirs = _flat(json.load(content))
        changes = [
            f"{name} {theirs.get(name)!r}, now {mine.get(name)!r}"
            for name in sorted(mine.keys() | theirs.keys())
            if mine.get(name) != theirs.get(name)
        ]
        found.append(f"{state} with {', '.join(changes)}")
    return found


def _keys(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []


def _flat(facts: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    """Nested facts by dotted names."""
    flat: dict[str, object] = {}
    for name, value in facts.items():
        inner = _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else None
        flat |= {f"{prefix}{name}": value} if inner is None else inner
    return flat


def _remove(state: Path) -> None:
    """Remove state, hidden by a rename first: what a kill leaves of it is not taken for state."""
    hidden = state.with_name(f"{REMOVED}{state.name}")
    state.replace(hidden)
    shutil.rmtree(hidden)
