"""`atlas evaluate`: error rates on the validation images."""

import logging
from collections.abc import Sequence

from pipeline.compute.device import configure_matmul, parse_device
from pipeline.cores import cores
from pipeline.dataset.prepared import prepared_manifest
from pipeline.dataset.store import open_images
from pipeline.evaluation.evaluate import evaluate
from pipeline.network.model import load_model
from pipeline.params import load_params
from pipeline.storage.predictions import predictions, write_predictions
from pipeline.storage.provenance import Provenance
from pipeline.storage.publish import publish
from pipeline.storage.reports import write_report
from pipeline.workspace import Workspace
from stages.command import alone, bar, device_option, stage
from stages.images import fetch_missing

logger = logging.getLogger(__name__)


@stage
@alone
@device_option
def main(workspace: Workspace, device: str) -> None:
    """Measure the network's error rates on the validation images.

    Writes reports/evaluate.json (one crop, and ten crops unless `evaluate.ten_crops` is false) and
    artifacts/predictions.csv.
    """
    on = parse_device(device)
    configure_matmul(on, tf32=False)
    model = load_model(workspace.model)
    fetch_missing(workspace)
    params = load_params(workspace.params)
    manifest = prepared_manifest(workspace)
    rows = manifest.split("val")
    images = open_images(workspace.images(params.data.root))
    ten = params.evaluate.ten_crops
    with bar("evaluate", len(rows), "images") as advance:
        result = evaluate(model, images, rows, ten=ten, device=on, threads=cores(), advance=advance)
    rates = result.rates()
    with publish(workspace.predictions) as path:
        write_predictions(path, predictions(model.card.classes, result.one_crop))
    made_from = Provenance(model.card.weights_sha256, manifest.sha256, model.card.sha256)
    with publish(workspace.report("evaluate.json")) as path:
        write_report(path, rates, made_from, workspace.predictions)
    if rates.top1_error is None or rates.top5_error is None:
        logger.info("%s: there are no error rates.", _why_none(model.card.classes))
        return
    logger.info(
        "Top-1 error %.1f %%, top-5 %.1f %%.", 100 * rates.top1_error, 100 * rates.top5_error
    )
    if rates.top1_error_10crop is not None and rates.top5_error_10crop is not None:
        logger.info(
            "With ten crops %.1f %% and %.1f %%.",
            100 * rates.top1_error_10crop,
            100 * rates.top5_error_10crop,
        )


def _why_none(classes: Sequence[str]) -> str:
    if not classes:
        return "The network's output is a map, not a vector of scores"
    return "No image is of a class that the network scores"
