"""`atlas train`: learn the network's weights from the training images."""

import logging
import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NoReturn

import click
import torch
from filelock import FileLock, Timeout
from tqdm import tqdm

import pipeline.dataset.images
import pipeline.network
import pipeline.training
from pipeline.compute.device import parse_device, set_products, spread
from pipeline.compute.malloc import disable_malloc_trim
from pipeline.cores import cores
from pipeline.dataset.manifest import read_manifest
from pipeline.dataset.store import open_images
from pipeline.errors import AtlasError
from pipeline.params import load_params
from pipeline.storage.hashing import sha256_of, sha256_of_code
from pipeline.storage.publish import publish
from pipeline.storage.state import fingerprint, stage_state
from pipeline.training.artifacts import write_model, write_train_report
from pipeline.training.checkpoint import FILE as CHECKPOINT
from pipeline.training.checkpoint import Position
from pipeline.training.distributed import Group, launch, launched, process_count, process_group
from pipeline.training.history import write_history
from pipeline.training.task import ExecutionConfig, TrainingResult, TrainingTask
from pipeline.training.train import train
from pipeline.workspace import Workspace
from stages.command import (
    bar,
    device_option,
    drawn_every_s,
    stage,
    workers_option,
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Run:
    """What every process of a training is told."""

    workspace: Workspace
    device: str
    cache: bool | None
    compiled: bool
    checkpoint_s: float

    @property
    def finish(self) -> Path:
        """The file whose presence asks the training to end early."""
        return self.workspace.state("train") / "finish"


@stage
@device_option
@workers_option
@click.option("--cache/--no-cache", default=None, help="Keep decoded pixels on disk while it runs.")
@click.option("--compile/--no-compile", "compiled", help="Let torch compile the network.")
@click.option(
    "--checkpoint-s",
    type=click.FloatRange(min=0),
    default=30.0,
    show_default=True,
    help="Seconds of work that a kill may cost.",
)
@click.option("--finish", is_flag=True, help="End a training early and keep what it has learnt.")
def main(
    workspace: Workspace,
    device: str,
    workers: int,
    cache: bool | None,
    compiled: bool,
    checkpoint_s: float,
    finish: bool,
) -> None:
    """Train the network.

    Stopped by Ctrl-C or killed, it goes on from its last checkpoint when it is run again. `atlas
    train --finish`, said in another terminal or afterwards, ends it early with a usable model.
    With --workers N, or on several GPUs, N processes share every batch; under torchrun it joins
    the group that torchrun started.
    """
    run = Run(workspace, device, cache, compiled, checkpoint_s)
    if finish:
        _finish(run)
        return
    run.finish.unlink(missing_ok=True)
    if launched():
        train_in_group(run)
    elif (count := process_count(parse_device(device), workers)) > 1:
        launch(train_in_group, run, count)
    else:
        train_alone(run)


def _finish(run: Run) -> None:
    """Ask the training that runs to end; where none does, end with the last one's checkpoint."""
    if launched():
        raise AtlasError(
            "One process is enough to finish a training.",
            fix="Run `atlas train --finish` without torchrun.",
        )
    if _is_training(run):
        run.finish.touch()
        click.echo("The running training ends after its present step.")
        return
    _check_checkpoint(run.workspace)
    run.finish.touch()
    train_alone(run)


def _check_checkpoint(workspace: Workspace) -> None:
    """Raise AtlasError unless a training of the present parameters left a checkpoint."""
    left = {path.parent.name for path in workspace.state("train").glob(f"*/{CHECKPOINT}")}
    if not left:
        raise AtlasError(
            "There is no training to finish: none has left a checkpoint here.",
            fix="Run `dvc repro train`.",
        )
    if _key(workspace, _task(workspace)) not in left:
        raise AtlasError(
            "The training that left a checkpoint had other parameters, images or code.",
            fix="Put params.yaml back as it was to finish it, or begin anew with "
            "`dvc repro train`, which removes it.",
        )


def _is_training(run: Run) -> bool:
    """Whether another process holds the training's state."""
    try:
        with FileLock(run.workspace.state("train") / "lock", timeout=0):
            return False
    except Timeout:
        return True


def train_alone(run: Run) -> None:
    """Train in this process."""
    _train(run, Group(), parse_device(run.device))


def train_in_group(run: Run) -> None:
    """Train as one process of a group; each takes its own GPU."""
    device = spread(parse_device(run.device), int(os.environ["LOCAL_RANK"]))
    with process_group(device) as group:
        logging.basicConfig(
            level=logging.INFO if group.is_main else logging.WARNING, format="%(message)s"
        )
        _train(run, group, device)


def _train(run: Run, group: Group, device: torch.device) -> None:
    disable_malloc_trim()
    set_products(device, tf32=False)
    workspace = run.workspace
    task = _task(workspace)
    key = _key(workspace, task)
    threads = max(1, cores() // int(os.environ.get("LOCAL_WORLD_SIZE", "1")))
    pixels = _pixels(workspace, task)
    config = ExecutionConfig(device, threads, run.cache, pixels, run.compiled, run.checkpoint_s)
    if not group.is_main:
        group.barrier()
        train(task, config, group, workspace.state("train") / key)
        return
    with (
        stage_state(workspace.state("train"), key) as state,
        stage_state(pixels.parent, pixels.name),
    ):
        group.barrier()
        trained = _watched(task, config, group, state, run.finish)
        _publish(workspace, task, trained, state)
    run.finish.unlink(missing_ok=True)


def _task(workspace: Workspace) -> TrainingTask:
    params = load_params(workspace.params)
    images, start = open_images(workspace.images(params.data.root)), None
    if params.train.init_from is not None:
        start = workspace.resolve(params.train.init_from)
        _check_start(workspace, start)
    return TrainingTask(params, read_manifest(workspace.manifest), images, start)


def _check_start(workspace: Workspace, start: Path) -> None:
    """Raise AtlasError for a file that is not there, or that the training itself would replace."""
    if workspace.model.resolve() in start.resolve().parents:
        raise AtlasError(
            f"train.init_from names {start}, which this training will replace.",
            fix="Copy the file out of the model folder and name the copy.",
        )
    if not start.is_file():
        raise AtlasError(
            f"There is no file {start}, which train.init_from names.",
            fix="Mend train.init_from in params.yaml.",
        )


def _pixels(workspace: Workspace, task: TrainingTask) -> Path:
    """The folder of decoded pixels, which outlasts a stopped training and an edit of its recipe."""
    facts = {
        "input": [task.params.data.resize, task.params.data.crop],
        "manifest": sha256_of(workspace.manifest),
        "code": sha256_of_code(Path(pipeline.dataset.images.__file__)),
    }
    return workspace.state("pixels") / fingerprint(facts)


def _key(workspace: Workspace, task: TrainingTask) -> str:
    """Names what decides the weights: a checkpoint under another key is no help."""
    params = task.params
    rooms = [Path(room.__file__ or "") for room in (pipeline.training, pipeline.network)]
    facts = {
        "seed": params.seed,
        "input": [params.data.resize, params.data.crop],
        "model": params.model.model_dump(),
        "train": params.train.model_dump(),
        "manifest": sha256_of(workspace.manifest),
        "start": task.init_weights and sha256_of(task.init_weights),
        "code": sha256_of_code(
            *(room.parent for room in rooms), Path(pipeline.dataset.images.__file__)
        ),
    }
    return fingerprint(facts)


def _watched(
    task: TrainingTask, config: ExecutionConfig, group: Group, state: Path, finish: Path
) -> TrainingResult:
    """Train with a bar: epochs, images a second, time left, loss."""
    images = len(task.manifest.split("train"))
    with (
        bar("decode", None, "images") as decoding,
        tqdm(
            total=images * task.params.train.epochs,
            desc="train",
            unit=" images",
            dynamic_ncols=True,
            mininterval=drawn_every_s(),
        ) as drawn,
    ):
        return train(
            task,
            config,
            group,
            state,
            watch=partial(_draw, drawn, images),
            decoding=decoding,
            finish=finish.exists,
        )


def _draw(drawn: "tqdm[NoReturn]", images: int, position: Position) -> None:
    done = position.epoch * images + position.seen
    if not drawn.n:  # the rate is that of this run's own steps, decoding aside
        drawn.n = drawn.initial = done
        drawn.unpause()
    if position.seen:
        drawn.set_postfix(
            epoch=position.epoch + 1, loss=f"{position.loss_sum / position.seen:.3f}", refresh=False
        )
    drawn.update(done - drawn.n)


def _publish(
    workspace: Workspace, task: TrainingTask, trained: TrainingResult, state: Path
) -> None:
    """Let the outs appear: history and report first, the model last."""
    with publish(workspace.report("train_history.csv")) as path:
        write_history(path, trained.history)
    with publish(workspace.report("train.json")) as path:
        write_train_report(path, trained)
    with publish(workspace.model) as folder:
        write_model(folder, task, trained, sha256_of(workspace.manifest), state / "snapshots")
    if trained.history and (last := trained.history[-1]).val_top1_error is not None:
        logger.info(
            "After epoch %d: validation top-1 error %.1f %%, dead channels %s.",
            trained.epochs,
            100 * last.val_top1_error,
            ", ".join(f"{layer} {count}" for layer, count in last.dead.items()),
        )
