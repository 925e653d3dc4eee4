"""`atlas evaluate`: error rates on the validation images."""

import logging

from pipeline.compute.device import cores, parse_device
from pipeline.dataset.manifest import read_manifest
from pipeline.evaluation.rates import evaluate, write_predictions, write_rates
from pipeline.network.model import load_model
from pipeline.params import load_params
from pipeline.storage.publish import publish
from pipeline.training.labels import labels_of
from pipeline.workspace import Workspace
from stages.command import bar, device_option, stage

logger = logging.getLogger(__name__)


@stage
@device_option
def main(workspace: Workspace, device: str) -> None:
    """Measure the network's error rates on the validation images.

    Writes reports/evaluate.json (one crop and ten crops) and artifacts/predictions.csv.
    """
    model = load_model(workspace.model)
    rows = read_manifest(workspace.manifest).split("val")
    root = workspace.resolve(load_params(workspace.params).data.root)
    labels = labels_of(rows, model.card.classes)
    with bar("evaluate", len(rows), "images") as advance:
        result = evaluate(
            model, [root / row.path for row in rows], labels, parse_device(device), cores(), advance
        )
    rates = result.rates()
    with publish(workspace.report("evaluate.json")) as path:
        write_rates(path, rates)
    with publish(workspace.predictions) as path:
        write_predictions(path, model.card.classes, result.one_crop)
    logger.info(
        "Top-1 error %.1f %%, top-5 %.1f %%; with ten crops %.1f %% and %.1f %%.",
        100 * rates.top1_error,
        100 * rates.top5_error,
        100 * rates.top1_error_10crop,
        100 * rates.top5_error_10crop,
    )
