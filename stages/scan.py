"""`atlas scan`: find the images that excite every channel most."""

from pipeline.compute import cluster
from pipeline.compute.device import parse_device
from pipeline.dataset.prepared import prepared_manifest
from pipeline.dataset.store import open_images
from pipeline.network.card import load_card
from pipeline.params import load_params
from pipeline.scan.scan import plan_scan, scan_facts
from pipeline.storage.provenance import Provenance
from pipeline.storage.publish import publish
from pipeline.storage.state import fingerprint, stage_state
from pipeline.storage.stores import create_store, seal, write_scan
from pipeline.workspace import Workspace
from stages.command import bar, device_option, scheduler_option, stage, workers_option
from stages.images import fetch_missing


@stage
@device_option
@workers_option
@scheduler_option
def main(workspace: Workspace, device: str, workers: int, scheduler: str | None) -> None:
    """Find the images that excite every channel most, and count how its peaks fall.

    Reads the manifest and the model, writes artifacts/scan.zarr. An interrupted scan resumes where
    it was.
    """
    on = parse_device(device, remote=bool(scheduler))
    fetch_missing(workspace)
    params = load_params(workspace.params)
    manifest = prepared_manifest(workspace)
    images = manifest.split("val")
    card = load_card(workspace.model)
    images_at = open_images(workspace.images(params.data.root))
    scan = plan_scan(params.scan, card, workspace.model, images, images_at)
    made_from = Provenance(card.weights_sha256, manifest.sha256, card.sha256)
    key = fingerprint(scan_facts(params.scan, card, made_from.manifest_sha256, on))
    with stage_state(workspace.state("scan"), key) as state:
        with (
            cluster.workers(scheduler, workers, on) as pool,
            bar("scan", len(images), "image") as advance,
        ):
            layers = scan.run(pool, state / "checkpoint", advance)
        with publish(workspace.scan) as out:
            store = create_store(out, "scan", made_from)
            for layer, statistics in layers.items():
                write_scan(store, layer, statistics.result(), statistics.facts.attributes())
            seal(store)
