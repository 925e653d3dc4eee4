"""`atlas prepare`: decode every image once; write the manifest and the rejected list."""

import json

import click

from pipeline.dataset.class_names import read_class_names
from pipeline.dataset.manifest import write_manifest
from pipeline.params import AdoptedParams, load_params
from pipeline.sources.naming import as_network_names
from pipeline.sources.prepare import locate, prepare
from pipeline.sources.rejected import write_rejected
from pipeline.sources.report import Numbers, report
from pipeline.storage.hashing import sha256_of
from pipeline.storage.publish import publish
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
    root = workspace.resolve(params.data.root)
    with bar("find", None, "file") as advance:
        found = locate(root, params.data, params.seed, advance)
    adopted = isinstance(params.model, AdoptedParams)
    if adopted:
        found = as_network_names(found, read_class_names(workspace.class_names))
    with bar("prepare", len(found), "image") as advance:
        prepared = prepare(root, found, params.data, advance, trains=not adopted)
    with (
        publish(workspace.manifest) as manifest,
        publish(workspace.rejected) as rejected,
        publish(workspace.report("prepare.json")) as numbers,
    ):
        write_manifest(manifest, prepared.manifest)
        write_rejected(rejected, prepared.rejected)
        counts = report(prepared, params.data.source, sha256_of(manifest))
        numbers.write_text(json.dumps(counts, indent=2, ensure_ascii=False) + "\n", "utf-8")
    click.echo(_summary(counts))


def _summary(counts: Numbers) -> str:
    return (
        "{images[train]} training and {images[val]} validation images of {classes} classes; "
        "{rejected} rejected, {stray} stray files, "
        "{duplicates[in_both_splits]} in both splits".format_map(counts)
    )
