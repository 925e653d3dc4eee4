"""What a training step costs: with its data against without, and what each measure gives."""

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.row import Row
from pipeline.dataset.manifest import ImageRow, Manifest
from pipeline.network.module import Network
from pipeline.params import Params, load_params
from pipeline.training.batches import epoch_batches
from pipeline.training.group import Group
from pipeline.training.learner import draw_masks
from pipeline.training.loop import Trainer
from pipeline.training.processes import cores
from pipeline.training.start import starting_network
from pipeline.training.task import Machine, Task
from pipeline.training.views import open_images

PRESET = Path(__file__).parents[1] / "presets" / "demo.yaml"
IMAGES = 192
CLASSES = 4


def rows(quick: bool) -> Iterator[Row]:
    """Steps of the demo preset's network, in images a second, taken in turn."""
    rounds = 2 if quick else 5
    with tempfile.TemporaryDirectory() as folder:
        task = _task(Path(folder))
        yield _with_data(task, Path(folder), rounds)
        yield from _measures(task, Path(folder), rounds)


def _task(folder: Path) -> Task:
    """A data set of noise, as JPEG files of a photograph's size."""
    rng = np.random.default_rng(0)
    listed = []
    for number in range(IMAGES):
        name = f"{number:03d}.jpg"
        small = rng.integers(0, 256, (30, 40, 3), dtype=np.uint8)
        Image.fromarray(small).resize((320, 240)).save(folder / name, quality=92)
        listed.append(ImageRow("train", name, str(number % CLASSES), 320, 240, ""))
    return Task(load_params(PRESET), Manifest(tuple(listed)), folder, None)


def _with_data(task: Task, folder: Path, rounds: int) -> Row:
    """An epoch from the cached pixels, augmented, against the same steps on ready tensors."""
    trainer = _trainer(task, folder / "data")
    ready = _ready_epoch(trainer)

    def fed() -> None:
        trainer.position.step = trainer.position.epoch = 0
        trainer.learn_epoch(lambda pace: None, lambda: False)

    bare, with_data = _seconds([ready, fed], rounds)
    return Row(
        name="training step including data",
        against="the same step on ready tensors",
        measured=bare / with_data,
        unit="×",
        goal=0.9,
        better="higher",
        note=f"{IMAGES / with_data:.0f} against {IMAGES / bare:.0f} images/s",
    )


def _ready_epoch(trainer: Trainer) -> Callable[[], None]:
    """The steps of an epoch, with inputs and masks made beforehand."""
    crop, train = trainer.task.params.data.crop, trainer.params
    batches = epoch_batches(IMAGES, train.batch_size, torch.Generator().manual_seed(0))
    made = []
    for batch in batches:
        chance = torch.Generator().manual_seed(1)
        inputs = torch.randn(len(batch), 3, crop, crop, generator=chance)
        masks = draw_masks(trainer.network.chain, len(batch), slice(0, len(batch)), chance)
        labels = torch.from_numpy(trainer.images.train_labels[batch])
        made.append((inputs.contiguous(memory_format=torch.channels_last), masks, labels))

    def run() -> None:
        trainer.network.train()
        for inputs, masks, labels in made:
            trainer.optimiser.zero_grad()
            with torch.autocast("cpu", torch.bfloat16, enabled=trainer.half):
                scores = trainer.learning(inputs, masks)
            loss = functional.cross_entropy(
                scores.float(), labels, label_smoothing=train.label_smoothing
            )
            torch.autograd.backward(loss)
            trainer.optimiser.step()

    return run


def _measures(task: Task, folder: Path, rounds: int) -> Iterator[Row]:
    """What bfloat16, and layout with the norm and fused descent, each give."""
    params = task.params
    full = _ready_epoch(_trainer(_precise(task, params, "float32"), folder / "full"))
    half = _ready_epoch(_trainer(_precise(task, params, "bfloat16"), folder / "half"))
    plain, full_s, half_s = _seconds([_plain_epoch(task), full, half], rounds)
    yield Row(
        "float32 step: channels-last, own norm, fused SGD",
        "plain torch: NCHW, nn.LocalResponseNorm",
        plain / full_s,
        "×",
        1.0,
        "higher",
        f"{IMAGES / full_s:.0f} against {IMAGES / plain:.0f} images/s",
    )
    yield Row(
        "bfloat16 step",
        "the float32 step",
        full_s / half_s,
        "×",
        1.0,
        "higher",
        f"{IMAGES / half_s:.0f} against {IMAGES / full_s:.0f} images/s; it pays on "
        "processors with bfloat16 products",
    )


def _precise(task: Task, params: Params, precision: str) -> Task:
    train = params.train.model_copy(update={"precision": precision})
    return replace(task, params=params.model_copy(update={"train": train}))


def _plain_epoch(task: Task) -> Callable[[], None]:
    """The steps of an epoch as one would write them without further thought."""
    network: Network = starting_network(task).train()
    optimiser = torch.optim.SGD(network.parameters(), lr=1e-6, momentum=0.9, foreach=False)
    size, crop = task.params.train.batch_size, task.params.data.crop
    inputs, labels = torch.randn(size, 3, crop, crop), torch.arange(size) % CLASSES

    def run() -> None:
        for _ in range(IMAGES // size):
            _plain_step(network, optimiser, inputs, labels)

    return run


def _plain_step(
    network: nn.Module, optimiser: torch.optim.Optimizer, inputs: Tensor, labels: Tensor
) -> None:
    optimiser.zero_grad()
    torch.autograd.backward(functional.cross_entropy(network(inputs), labels))
    optimiser.step()


def _trainer(task: Task, state: Path) -> Trainer:
    state.mkdir()
    machine = Machine(torch.device("cpu"), cores(), checkpoint_s=1e9)
    images = open_images(task, machine, Group(), state, lambda count: None)
    return Trainer(task, machine, Group(), state, images)


def _seconds(runs: list[Callable[[], None]], rounds: int) -> list[float]:
    """The best time of each, taken in turn so that the machine's moods fall on all alike."""
    times: list[list[float]] = [[] for _ in runs]
    for _ in range(rounds + 1):
        for run, taken in zip(runs, times, strict=True):
            begun = time.perf_counter()
            run()
            taken.append(time.perf_counter() - begun)
    return [min(taken[1:]) for taken in times]
