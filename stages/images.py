"""The images of a run, drawn or downloaded again where they are missing."""

from pipeline.params import load_params
from pipeline.sources.registry import source
from pipeline.workspace import Workspace
from stages.command import bar

FETCHED = frozenset(
    {"demo", "caltech101", "imagenette", "mnist", "fashion-mnist", "cifar10", "cifar100"}
)
"""Sources whose images `prepare` draws or downloads."""


def fetch_missing(workspace: Workspace) -> None:
    """Draw or download the images that are missing; where all are there, the source does nothing.

    A second clone that shares a DVC cache takes `prepare`'s outs from it and never runs the stage.
    This cannot change a result: every image is verified by the manifest's hash as it is read.
    """
    params = load_params(workspace.params)
    location = workspace.images(params.data.root)
    if "://" in location or params.data.source not in FETCHED:
        return
    with bar("fetch", None, "file", delay_s=1.0) as advance:
        source(params.data.source).fetch(location, params.data, params.seed, advance)
