"""The stage `prepare` over photographs in any layout, for tests."""

import zipfile
from pathlib import Path

from click.testing import CliRunner

from pipeline.dataset.manifest import Manifest, read_manifest
from stages.cli import main
from tests import layouts
from tests.workspaces import write_params

CLASSES = {"cat": (4, 5), "dog": (3, 6)}


def prepared(workspace: Path, root: str) -> Manifest:
    """The manifest of a workspace whose images are at a root."""
    write_params(workspace, {"data": {"root": root}})
    result = CliRunner().invoke(main, ["prepare", "-w", str(workspace)])
    assert result.exit_code == 0, result.output
    return read_manifest(workspace / "artifacts" / "manifest.csv")


def fault(workspace: Path, root: str) -> str:
    """The one line that prepare fails with."""
    write_params(workspace, {"data": {"root": root}})
    result = CliRunner().invoke(main, ["prepare", "-w", str(workspace)])
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == 1
    assert not (workspace / "artifacts" / "manifest.csv").exists()
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    return line


def as_tar(photos: Path, at: Path) -> str:
    layouts.write_tar(at / "photos.tar", layouts.files_of(photos))
    return "photos.tar"


def as_zip(photos: Path, at: Path) -> str:
    layouts.write_zip(photos, at / "photos.zip")
    return "photos.zip"


def as_stored_zip(photos: Path, at: Path) -> str:
    layouts.write_zip(photos, at / "photos.zip", zipfile.ZIP_STORED)
    return "photos.zip"


def as_webdataset(photos: Path, at: Path) -> str:
    layouts.write_webdataset(photos, at / "shards")
    return "shards"


def as_parquet(photos: Path, at: Path) -> str:
    layouts.write_parquet(photos, at / "hub")
    return "hub"


LAYOUTS = [as_tar, as_zip, as_stored_zip, as_webdataset, as_parquet]
