"""The stage `train` of a network that is taken as it is."""

from pipeline.adopt.adoption import check_file, take
from pipeline.adopt.artifacts import write_model, write_train_report
from pipeline.adopt.build import Spec, build
from pipeline.dataset.class_names import read_class_names
from pipeline.params import AdoptedParams, Params
from pipeline.storage.hashing import sha256_of
from pipeline.storage.publish import publish
from pipeline.training.history import write_history
from pipeline.workspace import Workspace


def adopt_model(workspace: Workspace, params: Params) -> None:
    """Read the network that params.yaml names and write the model folder and the reports."""
    model = params.model
    assert isinstance(model, AdoptedParams)
    classes = read_class_names(workspace.class_names)
    spec = Spec(model.arch, model.arguments, model.weights, workspace.root)
    check_file(spec, model.weights_sha256)
    adopted = take(build(spec, params.seed), params.data.crop, len(model.inputs.mean))
    with publish(workspace.report("train_history.csv")) as path:
        write_history(path, ())
    with publish(workspace.report("train.json")) as path:
        write_train_report(path, adopted, workspace.report("train_history.csv"))
    with publish(workspace.model) as folder:
        write_model(folder, adopted, params, classes, sha256_of(workspace.manifest))
