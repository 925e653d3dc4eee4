"""The trainer, which takes a task from its start, or the last checkpoint, to its result."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from pipeline.dataset.decoded import Rows
from pipeline.dataset.prefetch import prefetch
from pipeline.dataset.torch_seeding import generator_for
from pipeline.network.module import Network
from pipeline.progress import Advance
from pipeline.training.artifacts import epoch_record
from pipeline.training.checkpoint import (
    Interval,
    Position,
    load_checkpoint,
    read_snapshot,
    save_checkpoint,
    save_snapshot,
)
from pipeline.training.data import TrainingData, epoch_batches, load_training_data
from pipeline.training.distributed import Group
from pipeline.training.init import conv_weights, draw_first_layer, starting_network
from pipeline.training.losses import LossMonitor, StepLosses, step_totals, validate
from pipeline.training.optimizer import (
    Schedule,
    StartDecay,
    cap_filters,
    make_optimizer,
    note_excited,
    turn_round,
)
from pipeline.training.task import ExecutionConfig, TrainingResult, TrainingTask

Watch = Callable[[Position], object]
"""Called after each step with the position reached."""


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


class Trainer:
    """Takes the steps of a task, from its last checkpoint on."""

    def __init__(
        self,
        task: TrainingTask,
        config: ExecutionConfig,
        group: Group,
        state: Path,
        network: Network,
        images: TrainingData,
    ) -> None:
        self.task, self.config, self.group = task, config, group
        self.state, self.images = state, images
        self.params = task.params.train
        self.network = network.to(config.device).to(memory_format=torch.channels_last)
        self.start = {name: w.detach().cpu().clone() for name, w in conv_weights(network).items()}
        self.start_decay = StartDecay(self.network, self.start, self.params.start_decay)
        self.optimizer = make_optimizer(self.network, self.params)
        steps = math.ceil(len(images.train) / self.params.batch_size)
        self.schedule = Schedule(self.optimizer, self.params, steps)
        self.position = load_checkpoint(
            state, self.network, self.optimizer, self.schedule, self.params.snapshots
        )
        self.last_rate = self.params.learning_rate
        self.monitor = LossMonitor(group, len(task.manifest.classes))
        self.interval = Interval(config.checkpoint_s)
        self.losses = StepLosses(task, config, group, images, self.network)

    def run(self, watch: Watch, finish: Callable[[], bool]) -> bool:
        """Do the epochs that are left. False where `finish` ended them early."""
        while self.position.epoch < self.params.epochs:
            if not self.learn_epoch(watch, finish):
                return False
            self._close_epoch()
        return True

    def learn_epoch(self, watch: Watch, finish: Callable[[], bool]) -> bool:
        """Take the steps left in the present epoch. False where `finish` ended them early.

        Between a step's forward pass and its update, the weights are those whose loss was just
        checked: there it is decided whether to keep them or to end with them.
        """
        self.network.train()
        order = generator_for(self.task.params.seed, "order", self.position.epoch)
        batches = epoch_batches(len(self.images.train), self.params.batch_size, order)
        left = list(enumerate(batches))[self.position.step :]
        threads = self.config.threads
        for (step, rows), pixels in prefetch(self._read, left, threads, depth=2 * threads):
            losses, wrong = self.losses.of_batch(self.position.epoch, step, rows, pixels)
            # A process whose share of a short last batch is empty computes on its first image all
            # the same, for the collectives below wait for every process; its loss has factor 0.
            share = len(rows[self.group.shard(len(rows))])
            tally = step_totals(losses[:share], wrong[:share])
            # The losses are checked before the update: weights that they would wreck are never
            # written, and a checkpoint made here holds exactly the steps counted so far.
            if self.monitor.should_flush(self.config.device):
                self.monitor.flush(self.position, coming=tally)
                if self._ends(finish):
                    return False
            # DistributedDataParallel averages gradients over processes, as if shares were equal:
            # times their number over the batch's size, it is the mean over the whole batch.
            factor = min(share, 1) * self.group.size / len(rows)
            self._update(losses.sum() * factor)
            self.monitor.add(tally)
            self.position.step += 1
            watch(self.position)
        self.monitor.flush(self.position)
        return True

    def _ends(self, finish: Callable[[], bool]) -> bool:
        """Agree with the group whether to end here; write a checkpoint if one is due."""
        asked = torch.tensor(int(self.group.is_main and finish()), device=self.config.device)
        ends = bool(self.group.all_reduce_max(asked))
        if self.group.is_main and (self.interval.due() or ends):
            self.save()
        return ends

    def _read(self, job: tuple[int, Rows]) -> UInt8[np.ndarray, "share side side 3"]:
        _, rows = job
        return self.images.train.__getitems__(rows[self.losses.share(len(rows))])

    def _update(self, loss: Tensor) -> None:
        """Change the weights by a loss's gradient."""
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        note_excited(self.network, self.position.excited)
        if self.position.epoch >= self.params.start_decay_after:
            self.start_decay.add_gradient()
        self.optimizer.step()
        self.last_rate = self.optimizer.param_groups[-1]["lr"]  # conv1's group comes first
        self.schedule.step()
        if self.params.filter_rms_cap is not None:
            for weights in conv_weights(self.network).values():
                if weights.requires_grad:
                    cap_filters(weights, self.params.filter_rms_cap)

    def _close_epoch(self) -> None:
        """Validate, take the record, and step on to the next epoch."""
        position, images = self.position, self.images
        self.network.eval()
        seen = validate(
            self.losses.forward,
            images.val,
            images.val_labels,
            images.normalisation,
            self.group,
            self.config.threads,
            self.losses.use_bfloat16,
        )
        if seen.loss is None:
            self._try_out()
        else:
            self.monitor.check("validation loss", seen.loss, position.epoch + 1, position.step)
        record = epoch_record(self.network, self.start, position, self.last_rate, seen)
        if seen.top1_error is not None:
            self.schedule.end_epoch(seen.top1_error)
        first = conv_weights(self.network)[self.network.graph.conv_layers[0]].detach().cpu()
        self.position = Position(
            epoch=position.epoch + 1,
            history=[*position.history, record],
            filters=[*position.filters, first.clone(memory_format=torch.contiguous_format)],
        )
        if self.group.is_main:
            self._keep_snapshot()
        if self.params.revive and self.position.epoch < self.params.epochs:
            turn_round(self.network, self.optimizer, position.excited, position.step)
        if self.group.is_main and (
            self.interval.due() or self.position.epoch == self.params.epochs
        ):
            self.save()

    @torch.no_grad()
    def _try_out(self) -> None:
        """Check the loss of some training images, where no validation checks the weights."""
        rows = np.arange(min(self.params.batch_size, len(self.images.train)))
        position = self.position
        pixels = self._read((position.step, rows))
        losses, wrong = self.losses.of_batch(position.epoch, position.step, rows, pixels)
        loss_sum, _, images = self.group.all_reduce_sum(step_totals(losses, wrong)).tolist()
        self.monitor.check("loss", loss_sum / images, position.epoch + 1, position.step)

    def _keep_snapshot(self) -> None:
        if self.position.epoch in self.params.snapshots:
            mean = self.images.normalisation.mean
            save_snapshot(self.state, self.position.epoch, self.network, mean)

    def save(self) -> None:
        """Write the checkpoint."""
        save_checkpoint(self.state, self.network, self.optimizer, self.schedule, self.position)
