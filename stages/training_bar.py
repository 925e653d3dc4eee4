"""The bar of a training run: epochs, images a second, time left and loss."""

from collections.abc import Iterator
from contextlib import contextmanager

from tqdm import tqdm

from pipeline.training.checkpoint import Position
from pipeline.training.task import TrainingTask
from pipeline.training.trainer import Watch
from stages.command import drawn_every_s


@contextmanager
def training_bar(task: TrainingTask, title: str) -> Iterator[Watch]:
    """A bar on standard error; yields what updates it."""
    images = len(task.manifest.split("train"))
    with tqdm(
        total=images * task.params.train.epochs,
        desc=title,
        unit=" images",
        dynamic_ncols=True,
        mininterval=drawn_every_s(),
    ) as drawn:

        def watch(position: Position) -> None:
            done = position.epoch * images + position.seen
            if not drawn.n:
                # The rate is that of this run's own steps: not of those before a checkpoint.
                drawn.n = drawn.initial = done
                drawn.unpause()
            if position.seen:
                loss = f"{position.loss_sum / position.seen:.3f}"
                drawn.set_postfix(epoch=position.epoch + 1, loss=loss, refresh=False)
            drawn.update(done - drawn.n)

        yield watch
