"""Outcomes of earlier inspections: a file that did not change is not decoded again."""

import logging
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, runtime_checkable

from pipeline.errors import AtlasError
from pipeline.sources.inspection import Inspection
from pipeline.sources.protocol import Candidate
from pipeline.sources.rejected import Rejection

log = logging.getLogger(__name__)

COMMIT_EVERY = 1000
"""Outcomes; a killed run decodes so many again at most."""

Outcome = Inspection | Rejection


@runtime_checkable
class Known(Protocol):
    """Outcomes by candidate."""

    def outcome(self, candidate: Candidate) -> Outcome | None:
        """The outcome of the same file; None where it is new, changed, or cannot be recognised."""
        ...

    def add(self, candidate: Candidate, outcome: Outcome) -> None:
        """Keep an outcome."""
        ...


class NothingKnown:
    """No earlier outcomes, and none kept."""

    def outcome(self, candidate: Candidate) -> Outcome | None:
        """Always None."""
        return None

    def add(self, candidate: Candidate, outcome: Outcome) -> None:
        """Keep nothing."""


@contextmanager
def open_known(folder: Path) -> Iterator[Known]:
    """The outcomes in a state folder, held alone.

    A damaged file is removed and its files decoded again; where none can be written, none are
    kept. Raises AtlasError where another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        known = _opened(folder / "inspections.sqlite")
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise AtlasError(
                f"Another process is running this stage (it holds {folder}).",
                fix="Wait for it, or stop it, then run again.",
            ) from None
        log.warning("What is decoded cannot be kept in %s: %s", folder, error)
        yield NothingKnown()
        return
    try:
        yield known
    finally:
        known.close()


def _opened(path: Path) -> "KnownOnDisk":
    try:
        return KnownOnDisk(path)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        log.warning("%s is damaged (%s); all images are decoded again", path, error)
        path.unlink()
        return KnownOnDisk(path)


class KnownOnDisk:
    """Outcomes in a SQLite file, a row per file with a checksum."""

    def __init__(self, path: Path) -> None:
        self._added = 0
        self._rows = sqlite3.connect(path, timeout=0, isolation_level=None)
        self._rows.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._rows.execute("PRAGMA journal_mode = TRUNCATE")
        self._rows.execute(
            "CREATE TABLE IF NOT EXISTS outcome (key TEXT PRIMARY KEY, stamp TEXT, fault TEXT, "
            "stray INTEGER, width INTEGER, height INTEGER, sha256 TEXT, checksum INTEGER) "
            "WITHOUT ROWID"
        )
        self._rows.execute("BEGIN IMMEDIATE")

    def outcome(self, candidate: Candidate) -> Outcome | None:
        """See `Known.outcome`."""
        if not candidate.stamp:
            return None
        query = "SELECT stamp, fault, stray, width, height, sha256, checksum FROM outcome"
        try:
            found = self._rows.execute(f"{query} WHERE key = ?", (candidate.key,)).fetchone()
        except sqlite3.DatabaseError:
            return None
        if not found or found[0] != candidate.stamp:
            return None
        *facts, checksum = found
        if _checksum(candidate.key, facts) != checksum:
            return None
        _, fault, stray, width, height, sha256 = facts
        if fault:
            return Rejection(candidate.path, fault, bool(stray))
        return Inspection(width, height, sha256)

    def add(self, candidate: Candidate, outcome: Outcome) -> None:
        """See `Known.add`. What a limit or a failed read refused is not kept."""
        if not candidate.stamp or _may_pass(outcome):
            return
        facts = [candidate.stamp, *_facts(outcome)]
        row = (candidate.key, *facts, _checksum(candidate.key, facts))
        try:
            self._rows.execute("INSERT OR REPLACE INTO outcome VALUES (?,?,?,?,?,?,?,?)", row)
            self._added += 1
            if self._added % COMMIT_EVERY == 0:
                self._rows.execute("COMMIT")
                self._rows.execute("BEGIN IMMEDIATE")
        except sqlite3.DatabaseError as error:
            log.debug("outcome not kept: %s", error)

    def close(self) -> None:
        """Keep what was added, and let go of the file."""
        try:
            self._rows.execute("COMMIT")
        except sqlite3.DatabaseError as error:
            log.debug("outcomes not kept: %s", error)
        self._rows.close()


def _facts(outcome: Outcome) -> tuple[str, int, int, int, str]:
    if isinstance(outcome, Rejection):
        return outcome.reason, int(outcome.stray), 0, 0, ""
    return "", 0, outcome.width, outcome.height, outcome.sha256


def _may_pass(outcome: Outcome) -> bool:
    return isinstance(outcome, Rejection) and outcome.reason.startswith(
        ("unreadable", "too costly")
    )


def _checksum(key: str, facts: list[object]) -> int:
    return zlib.crc32("\0".join([key, *map(str, facts)]).encode("utf-8", "surrogatepass"))
