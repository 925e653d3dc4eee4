"""The artifacts of an adopted network: the model folder and the report."""

from pathlib import Path

from pipeline.adopt.adoption import Adopted, adopt_module, check_file, scores
from pipeline.adopt.build import build
from pipeline.adopt.spec import Spec
from pipeline.dataset.class_names import ClassNames, read_class_names
from pipeline.dataset.prepared import prepared_manifest
from pipeline.errors import AtlasError
from pipeline.network.card import ModelCard, Origin
from pipeline.network.model import save_model
from pipeline.network.outs import publish_network
from pipeline.params import AdoptedParams, Params
from pipeline.storage.training_report import TrainingReport
from pipeline.workspace import Workspace


def adopt_model(workspace: Workspace, params: Params) -> None:
    """Read the network that params.yaml names and publish the model folder and the reports."""
    model = params.model
    assert isinstance(model, AdoptedParams)
    manifest = prepared_manifest(workspace)
    classes = read_class_names(workspace.class_names)
    spec = Spec(model.arch, model.arguments, model.weights, workspace.root)
    check_file(spec, model.weights_sha256)
    adopted = adopt_module(build(spec, params.seed), params.data.crop, len(model.inputs.mean))
    publish_network(
        workspace,
        lambda folder: write_adopted(folder, adopted, params, classes, manifest.sha256),
        (),
        adopted_report(adopted),
    )


def write_adopted(
    folder: Path, adopted: Adopted, params: Params, classes: ClassNames, manifest_sha256: str
) -> ModelCard:
    """Fill a new model folder: graph, weights and card. Nothing in it needs the module's code."""
    assert isinstance(params.model, AdoptedParams)
    _check_classes(adopted, classes)
    inputs = params.model.inputs
    card = ModelCard(
        arch=params.model.arch,
        classes=classes.names,
        resize=params.data.resize,
        crop=params.data.crop,
        mean=_by_colour(tuple(255 * mean for mean in inputs.mean)),
        scale=_by_colour(tuple(1 / (255 * std) for std in inputs.std)),
        interpolation=inputs.interpolation,
        seed=params.seed,
        epochs_trained=0,
        weights_sha256="",
        manifest_sha256=manifest_sha256,
        origin=Origin(
            arguments=params.model.arguments,
            weights=params.model.weights,
            weights_file_sha256=params.model.weights_sha256,
            versions=dict(adopted.versions),
            sources=dict(adopted.sources),
            values_agree_to=adopted.agreement.values,
            projections_agree_to=adopted.agreement.projections,
        ),
    )
    folder.mkdir()
    weights = {name: tensor.float() for name, tensor in adopted.weights.items()}
    return save_model(folder, card, weights, adopted.graph)


def _check_classes(adopted: Adopted, classes: ClassNames) -> None:
    if len(classes.names) != scores(adopted.graph):
        raise AtlasError(
            f"nets/classes.txt names {len(classes.names)} classes, and the network scores "
            f"{scores(adopted.graph)}.",
            fix="Run `atlas adopt` again, or correct the file.",
        )


def _by_colour(values: tuple[float, ...]) -> tuple[float, float, float]:
    """Three values; one stands for all colours."""
    red, green, blue = values * 3 if len(values) == 1 else values
    return red, green, blue


def adopted_report(adopted: Adopted) -> TrainingReport:
    """What there is to say of a network that was not trained here."""
    return TrainingReport(
        epochs_trained=0,
        stopped_early=False,
        parameters=sum(tensor.numel() for tensor in adopted.weights.values()),
        channels={layer.name: layer.channels for layer in adopted.graph.layer_list},
    )
