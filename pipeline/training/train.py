"""The entry point: train from the start, or from the last checkpoint, to the end."""

from collections.abc import Callable
from pathlib import Path

from pipeline.progress import Advance
from pipeline.training.checkpoint import read_snapshot, save_snapshot
from pipeline.training.data import load_training_data
from pipeline.training.distributed import Group
from pipeline.training.init import draw_first_layer, starting_network
from pipeline.training.task import ExecutionConfig, TrainingResult, TrainingTask
from pipeline.training.trainer import Trainer, Watch


def train(
    task: TrainingTask,
    config: ExecutionConfig,
    group: Group,
    state: Path,
    *,
    watch: Watch = lambda position: None,
    decoding: Advance = lambda images: None,
    finish: Callable[[], bool] = lambda: False,
) -> TrainingResult:
    """Train from the checkpoint of the state folder to the last epoch, or until `finish` says so.

    Raises AtlasError where the loss diverges, an image cannot be read, or the start does not fit.
    """
    network, taken = starting_network(task)  # before the images: a misfit is reported at once
    images = load_training_data(task, config, group, state, decoding)
    if task.params.train.init == "patches" and network.graph.layers[0] not in taken:
        draw_first_layer(network, task, images, group, config.threads)
    if group.is_main and read_snapshot(state, 0) is None:
        save_snapshot(state, 0, network, images.normalisation.mean)
    trainer = Trainer(task, config, group, state, network, images)
    stopped = not trainer.run(watch, finish)
    position = trainer.position
    return TrainingResult(
        network=trainer.network.eval(),
        mean=images.normalisation.mean.cpu().contiguous(),
        epochs=position.epoch,
        stopped_early=stopped,
        history=tuple(position.history),
        filters=tuple(position.filters),
        start=trainer.start,
    )
