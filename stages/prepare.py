"""`atlas prepare`: decode every image once; write the manifest and the rejected list."""

import click
import PIL

from pipeline.dataset.class_names import read_class_names
from pipeline.dataset.manifest import write_manifest
from pipeline.dataset.store import open_images
from pipeline.params import AdoptedParams, load_params
from pipeline.sources.inspection import DECODING_VERSION
from pipeline.sources.known import open_known
from pipeline.sources.naming import as_network_names
from pipeline.sources.prepare import locate, prepare
from pipeline.sources.rejected import write_rejected
from pipeline.sources.report import Numbers, prepare_report
from pipeline.storage.hashing import sha256_of
from pipeline.storage.publish import publish
from pipeline.storage.sealed import write_sealed
from pipeline.storage.state import fingerprint
from pipeline.workspace import Workspace
from stages.command import bar, stage


@stage
def main(workspace: Workspace) -> None:
    """Decode every image once; write the manifest and the rejected list.

    The demo's images are drawn first, and a data set that torchvision knows is downloaded where it
    is missing. No image is copied. For an adopted network, folders are named as its classes are:
    by WordNet id, number or name.
    """
    params = load_params(workspace.params)
    location = workspace.images(params.data.root)
    with bar("find", None, "file") as advance:
        found = locate(location, params.data, params.seed, advance)
    if isinstance(params.model, AdoptedParams):
        found = as_network_names(found, read_class_names(workspace.class_names))
    key = fingerprint(
        {"version": DECODING_VERSION, "pillow": PIL.__version__, "location": location}
    )
    total = len(found.candidates) + len(found.rejected)
    with (
        open_known(workspace.state("prepare") / key) as known,
        bar("prepare", total, "image") as advance,
    ):
        prepared = prepare(open_images(location), found, params.data, known, advance)
    with (
        publish(workspace.manifest) as manifest,
        publish(workspace.rejected) as rejected,
        publish(workspace.report("prepare.json")) as numbers,
    ):
        write_manifest(manifest, prepared.manifest)
        write_rejected(rejected, prepared.rejected)
        counts = prepare_report(prepared, params.data.source, sha256_of(manifest))
        write_sealed(numbers, counts)
    click.echo(_summary(counts))


def _summary(counts: Numbers) -> str:
    return (
        "{images[train]} training and {images[val]} validation images of {classes} classes; "
        "{rejected} rejected, {stray} stray files, "
        "{duplicates[in_both_splits]} in both splits".format_map(counts)
    )
