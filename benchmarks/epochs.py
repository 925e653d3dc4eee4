"""Epochs of a trainer: with their data, or with inputs and masks made beforehand."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from pipeline.cores import cores
from pipeline.dataset.decoded import Rows
from pipeline.training.data import epoch_batches, load_training_data
from pipeline.training.distributed import Group
from pipeline.training.forward import draw_masks
from pipeline.training.init import starting_network
from pipeline.training.task import ExecutionConfig, TrainingTask
from pipeline.training.trainer import Trainer

CPU = torch.device("cpu")

Ready = tuple[Tensor, dict[int, Tensor], Tensor]
"""Inputs, dropout's masks by node, and labels of a batch."""


def make_trainer(
    task: TrainingTask,
    state: Path,
    *,
    cache: bool = True,
    compiled: bool = False,
    device: torch.device = CPU,
) -> Trainer:
    """A trainer at the start of a task, its state in a new folder."""
    state.mkdir()
    config = ExecutionConfig(device, cores(), cache, compiled=compiled, checkpoint_s=1e9)
    images = load_training_data(task, config, Group(), state, lambda count: None)
    return Trainer(task, config, Group(), state, starting_network(task)[0], images)


def fed_epoch(trainer: Trainer) -> Callable[[], None]:
    """The steps of an epoch, with their data."""

    def run() -> None:
        trainer.position.step = trainer.position.epoch = 0
        trainer.learn_epoch(lambda position: None, lambda: False)

    return run


def ready_epoch(trainer: Trainer) -> Callable[[], None]:
    """The steps of an epoch, with inputs and masks made beforehand."""
    order = torch.Generator().manual_seed(0)
    batches = epoch_batches(len(trainer.images.train), trainer.params.batch_size, order)
    made = [_ready(trainer, batch) for batch in batches]

    def run() -> None:
        for ready in made:
            _derive(trainer, ready)
            trainer.optimizer.step()

    return run


def gradients(trainer: Trainer, images: int) -> dict[str, Tensor]:
    """Of the loss of some images, by weight, on the processor."""
    _derive(trainer, _ready(trainer, np.arange(images)))
    found = trainer.network.named_parameters()
    return {name: weight.grad.float().cpu() for name, weight in found if weight.grad is not None}


def _ready(trainer: Trainer, batch: Rows) -> Ready:
    """Noise as the inputs of a batch, its masks and labels, on the trainer's device."""
    crop, device = trainer.task.params.data.crop, trainer.config.device
    chance = torch.Generator().manual_seed(1)
    inputs = torch.randn(len(batch), 3, crop, crop, generator=chance)
    masks = draw_masks(trainer.network.graph, len(batch), slice(0, len(batch)), chance)
    labels = torch.from_numpy(trainer.images.train_labels[batch])
    inputs = inputs.contiguous(memory_format=torch.channels_last).to(device)
    return inputs, {place: mask.to(device) for place, mask in masks.items()}, labels.to(device)


def _derive(trainer: Trainer, ready: Ready) -> None:
    """The gradients of a step."""
    inputs, masks, labels = ready
    trainer.network.train()
    trainer.optimizer.zero_grad()
    scores = trainer.losses.scores(inputs, masks)
    smoothing = trainer.params.label_smoothing
    loss = functional.cross_entropy(scores.float(), labels, label_smoothing=smoothing)
    torch.autograd.backward(loss)
