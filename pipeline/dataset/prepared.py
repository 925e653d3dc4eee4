"""The manifest as `prepare` wrote it: read by the stages that nothing else binds to it."""

from pipeline.dataset.manifest import Manifest, read_manifest
from pipeline.storage.reports import read_prepare_report
from pipeline.workspace import Workspace


def prepared_manifest(workspace: Workspace) -> Manifest:
    """The manifest of a workspace.

    Raises AtlasError where it is missing, or not the one that `reports/prepare.json` names.
    """
    manifest = read_manifest(workspace.manifest)
    read_prepare_report(workspace.report("prepare.json"), workspace.manifest, manifest.sha256)
    return manifest
