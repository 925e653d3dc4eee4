"""A trial: a network trained from scratch under the run's own recipe, to be measured."""

from pathlib import Path

from pipeline.dataset.manifest import Split
from pipeline.dataset.prepared import prepared_manifest
from pipeline.dataset.store import open_images
from pipeline.evaluation.evaluate import evaluate
from pipeline.network.model import Model, load_model
from pipeline.params import Params, load_params
from pipeline.progress import no_progress
from pipeline.storage.error_rates import ErrorRates
from pipeline.storage.publish import publish
from pipeline.training.artifacts import write_model
from pipeline.training.distributed import Group
from pipeline.training.task import ExecutionConfig, TrainingTask
from pipeline.training.trainer import Watch, train
from pipeline.workspace import Workspace


def from_scratch(params: Params) -> Params:
    """The parameters of a run whose network starts from nothing learnt and keeps no snapshots."""
    start: dict[str, object] = {"init_from": None, "freeze": (), "snapshots": ()}
    return params.model_copy(update={"train": params.train.model_copy(update=start)})


def scratch_task(workspace: Workspace) -> TrainingTask:
    """The run's task from scratch, whatever its own training starts from."""
    params = from_scratch(load_params(workspace.params))
    images = open_images(workspace.images(params.data.root))
    return TrainingTask(params, prepared_manifest(workspace), images, None)


def trial_recipe(params: Params) -> dict[str, object]:
    """What decides the weights of a trial besides its images, by name."""
    return {
        "seed": params.seed,
        "data.resize": params.data.resize,
        "data.crop": params.data.crop,
        "model": params.own_model.model_dump(),
        "train": params.train.model_dump(),
    }


def trained(
    task: TrainingTask,
    config: ExecutionConfig,
    folder: Path,
    watch: Watch = lambda position: None,
) -> Model:
    """The network of a task, trained in a folder from the checkpoint that may be there."""
    result = train(task, config, Group(), folder, watch=watch)
    with publish(folder / "model") as path:
        write_model(path, task, result, folder / "no snapshots")
    return load_model(folder / "model")


def rates_of(model: Model, task: TrainingTask, split: Split, config: ExecutionConfig) -> ErrorRates:
    """A network's error rates on the centre crops of a split of its task's images."""
    result = evaluate(
        model,
        task.images,
        task.manifest.split(split),
        ten=False,
        device=config.device,
        threads=config.threads,
        advance=no_progress,
    )
    return result.rates()
