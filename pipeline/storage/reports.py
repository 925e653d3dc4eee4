"""Reports bound to what they are of, and the tables that belong to them bound to the reports."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.errors import AtlasError
from pipeline.storage.hashing import sha256_of
from pipeline.storage.sealed import content_sha256, read_sealed
from pipeline.storage.stores import Provenance

_MADE_FROM, _TABLE = "made_from", "table_sha256"


def bound(made_from: Provenance, table: Path | None = None) -> dict[str, str]:
    """The entries of a report that tie it to its run, and a table to it."""
    entries = {_MADE_FROM: content_sha256(made_from.attributes())}
    if table is not None:
        entries[_TABLE] = sha256_of(table)
    return entries


def read_report(path: Path, stage: str, made_from: Provenance) -> dict[str, Any]:
    """The content of a stage's report; empty where the stage has not run.

    Raises AtlasError where it is damaged, or of another run than one `made_from`.
    """
    if not path.exists():
        return {}
    report = read_sealed(path, rerun(stage))
    if report.get(_MADE_FROM) != bound(made_from)[_MADE_FROM]:
        raise AtlasError(
            f"{path} was made from another model, manifest or scan.",
            fix=f"Run `dvc repro {stage}`.",
        )
    return report


def read_prepare_report(path: Path, manifest: Path, manifest_sha256: str) -> dict[str, Any]:
    """The content of `prepare.json`, which vouches for the manifest that has this hash.

    Raises AtlasError where it is missing or damaged, or names another manifest.
    """
    report = read_sealed(path, rerun("prepare"))
    if report.get("manifest_sha256") != manifest_sha256:
        raise AtlasError(
            f"{manifest} is not the one that {path} names: its sha256 differs.",
            fix=rerun("prepare"),
        )
    return report


def check_table(path: Path, report: Mapping[str, Any], stage: str) -> None:
    """Raise AtlasError where a table is not the one that its stage's report was written with.

    Where the stage has not run there is neither.
    """
    if not path.exists():
        if report:
            raise AtlasError(f"{path} is missing, and its report is there.", fix=rerun(stage))
    elif not report:
        raise AtlasError(f"{path} is there, and its report is missing.", fix=rerun(stage))
    elif sha256_of(path) != report.get(_TABLE):
        raise AtlasError(f"{path} is not as it was written: its sha256 differs.", fix=rerun(stage))


def rerun(stage: str) -> str:
    """What to do about a damaged out of a stage."""
    return f"Run `dvc repro -f -s {stage}`, then `dvc repro`."
