"""`atlas train`: learn the network's weights from the training images."""

import logging
import os
from dataclasses import dataclass

import click
import torch

from pipeline.adopt.artifacts import adopt_model
from pipeline.compute.device import device_for_slot, parse_device
from pipeline.errors import AtlasError
from pipeline.params import AdoptedParams, load_params
from pipeline.storage.state import held
from pipeline.training.distributed import Group, launch, launched, process_count, process_group
from pipeline.training.session import Session, load_task
from pipeline.workspace import Workspace
from stages.command import bar, device_option, log_to_terminal, stage, workers_option
from stages.images import fetch_missing
from stages.training_bar import training_bar

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Launch:
    """The arguments that `launch` hands to every process."""

    session: Session
    device: str


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
    help="Seconds between checkpoints.",
)
@click.option("--finish", is_flag=True, help="Stop training early and keep the model so far.")
def main(
    workspace: Workspace,
    device: str,
    workers: int,
    cache: bool | None,
    compiled: bool,
    checkpoint_s: float,
    finish: bool,
) -> None:
    """Train the network; an adopted one is read and keeps its weights.

    After Ctrl-C or a kill, run it again to resume from the last checkpoint. `atlas train --finish`,
    in another terminal or afterwards, ends it early with a usable model. With --workers N, or on
    several GPUs, N processes share every batch; under torchrun it joins torchrun's group.
    """
    params = load_params(workspace.params)
    if isinstance(params.model, AdoptedParams):
        with held(workspace.state("train")):
            adopt_model(workspace, params)
        return
    session = Session(workspace, cache, compiled, checkpoint_s)
    if finish:
        _finish(session, device)
        return
    session.finish_file.unlink(missing_ok=True)
    fetch_missing(workspace)
    if launched():
        train_in_group(Launch(session, device))
    elif (count := process_count(parse_device(device), workers)) > 1:
        launch(train_in_group, Launch(session, device), count)
    else:
        _train(session, Group(), parse_device(device))


def _finish(session: Session, device: str) -> None:
    """Ask the running training to stop; where none runs, finish from the last checkpoint."""
    if launched():
        raise AtlasError(
            "`--finish` needs one process only.",
            fix="Run `atlas train --finish` without torchrun.",
        )
    if session.is_running():
        session.finish_file.touch()
        click.echo("The running training will stop after the current step.")
        return
    session.check_checkpoint()
    session.finish_file.touch()
    _train(session, Group(), parse_device(device))


def train_in_group(given: Launch) -> None:
    """Train as one process of a group; each takes its own GPU."""
    device = device_for_slot(parse_device(given.device), int(os.environ["LOCAL_RANK"]))
    with process_group(device) as group:
        log_to_terminal(logging.INFO if group.is_main else logging.WARNING)
        _train(given.session, group, device)


def _train(session: Session, group: Group, device: torch.device) -> None:
    task = load_task(session.workspace)
    if not group.is_main:
        session.run(task, group, device, watch=lambda position: None, decoding=lambda images: None)
        return
    with bar("decode", None, "images") as decoding, training_bar(task, "train") as watch:
        result = session.run(task, group, device, watch, decoding)
    if result.history and (last := result.history[-1]).val_top1_error is not None:
        logger.info(
            "After epoch %d: validation top-1 error %.1f %%, dead channels %s.",
            result.epochs,
            100 * last.val_top1_error,
            ", ".join(f"{layer} {count}" for layer, count in last.dead.items()),
        )
