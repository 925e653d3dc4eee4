"""The manifest is believed only beside the report that names it."""

import hashlib

import pytest

from pipeline.dataset.manifest import ImageRow
from pipeline.dataset.prepared import prepared_manifest
from pipeline.errors import AtlasError
from pipeline.workspace import Workspace
from tests.workspaces import write_listing

ROWS = [ImageRow("val", f"{name}.png", "cat", 80, 60, "0" * 64) for name in "ab"]


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    write_listing(Workspace(tmp_path), ROWS)
    return Workspace(tmp_path)


def test_the_manifest_knows_the_hash_of_its_file(workspace):
    manifest = prepared_manifest(workspace)
    assert list(manifest.rows) == ROWS
    assert manifest.sha256 == hashlib.sha256(workspace.manifest.read_bytes()).hexdigest()


@pytest.mark.parametrize(("old", "new"), [(b"cat", b"cau"), (b"80", b"81"), (b"b.png", b"c.png")])
def test_a_changed_row_is_refused_in_one_line(workspace, old, new):
    workspace.manifest.write_bytes(workspace.manifest.read_bytes().replace(old, new))
    with pytest.raises(AtlasError, match=r"manifest\.csv is not the one .*-s prepare"):
        prepared_manifest(workspace)


def test_a_manifest_without_its_report_is_refused(workspace):
    workspace.report("prepare.json").unlink()
    with pytest.raises(AtlasError, match=r"prepare\.json cannot be read: No such.*-s prepare"):
        prepared_manifest(workspace)
