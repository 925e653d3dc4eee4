"""Reports bound to what they are of, and the tables that belong to them bound to the reports."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from pipeline.errors import AtlasError
from pipeline.storage.hashing import sha256_of
from pipeline.storage.provenance import Provenance
from pipeline.storage.sealed import content_sha256, read_sealed, write_sealed

_MADE_FROM, _TABLE = "made_from", "table_sha256"


class Report(ABC):
    """What a stage found out, as a record that its file holds as an object of JSON."""

    stage: ClassVar[str]

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """The record as an object of JSON; what is not known is left out."""

    @classmethod
    @abstractmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Report":
        """The record of such an object. Raises what Python does where it is none."""


R = TypeVar("R", bound=Report)


def write_report(
    path: Path, report: Report, made_from: Provenance, table: Path | None = None
) -> None:
    """Write a report, bound to what it is of and to the table that belongs to it."""
    write_sealed(path, report.to_json() | bound(made_from, table))


def read_report(path: Path, kind: type[R], made_from: Provenance) -> R | None:
    """The report of a stage; None where the stage has not run.

    Raises AtlasError where it is damaged, or of another run than one `made_from`.
    """
    if not (content := read_content(path, kind.stage, made_from)):
        return None
    try:
        report = kind.from_json(content)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise AtlasError(
            f"{path} is not a report of `{kind.stage}`: {error}.", fix=rerun(kind.stage)
        ) from None
    assert isinstance(report, kind)
    return report


def bound(made_from: Provenance, table: Path | None = None) -> dict[str, str]:
    """The entries of a report that tie it to its run, and a table to it."""
    entries = {_MADE_FROM: content_sha256(made_from.attributes())}
    if table is not None:
        entries[_TABLE] = sha256_of(table)
    return entries


def read_content(path: Path, stage: str, made_from: Provenance) -> dict[str, Any]:
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


def check_table(path: Path, report_path: Path, stage: str, made_from: Provenance) -> None:
    """Raise AtlasError where a table is not the one that its stage's report was written with.

    Where the stage has not run there is neither.
    """
    report = read_content(report_path, stage, made_from)
    if not path.exists():
        if report:
            raise AtlasError(
                f"{path} is missing, and its report {report_path} is there.", fix=rerun(stage)
            )
    elif not report:
        raise AtlasError(
            f"{path} is there, and its report {report_path} is missing.", fix=rerun(stage)
        )
    elif sha256_of(path) != report.get(_TABLE):
        raise AtlasError(f"{path} is not as it was written: its sha256 differs.", fix=rerun(stage))


def rerun(stage: str) -> str:
    """What to do about a damaged out of a stage."""
    return f"Run `dvc repro -f -s {stage}`, then `dvc repro`."
