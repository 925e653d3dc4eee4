"""The cost of a training step: with its data against without, and what each measure gives.

Checkpoints are left out: at most one every half minute.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.epochs import CPU, fed_epoch, make_trainer, ready_epoch
from benchmarks.row import Row
from benchmarks.training_tasks import CLASSES, demo_task, in_precision
from pipeline.compute.device import supports_bfloat16
from pipeline.compute.malloc import disable_malloc_trim
from pipeline.training.forward import TrainingForward
from pipeline.training.init import starting_network
from pipeline.training.task import TrainingTask

IMAGES = 192


def rows(quick: bool) -> Iterator[Row]:
    """Steps of the demo preset's network, in images a second, taken in turn."""
    rounds = 2 if quick else 5
    with tempfile.TemporaryDirectory() as folder:
        task = demo_task(Path(folder), IMAGES)
        if not quick:
            yield from _measures(task, Path(folder), rounds)
        disable_malloc_trim()  # as every training does; the last of the measures
        yield _with_data(task, Path(folder), rounds)
        if not quick:
            yield _cache_row(task, Path(folder), rounds)
            yield _compile_row(task, Path(folder), rounds)


def _with_data(task: TrainingTask, folder: Path, rounds: int) -> Row:
    """An epoch from the cached pixels, augmented, against the same steps on ready tensors."""
    trainer = make_trainer(task, folder / "data")
    bare, with_data = _seconds([ready_epoch(trainer), fed_epoch(trainer)], rounds)
    return Row(
        name="training step including data",
        against="the same step on ready tensors",
        measured=bare / with_data,
        unit="×",
        goal=0.9,
        better="higher",
        note=f"{IMAGES / with_data:.0f} against {IMAGES / bare:.0f} images/s",
    )


def _cache_row(task: TrainingTask, folder: Path, rounds: int) -> Row:
    """An epoch whose pixels were decoded once, against one that decodes; and what once costs."""
    begun = time.perf_counter()
    cached = fed_epoch(make_trainer(task, folder / "cached"))
    once = time.perf_counter() - begun
    decoding = fed_epoch(make_trainer(task, folder / "decoding", cache=False))
    decoded_s, cached_s = _seconds([decoding, cached], rounds)
    return Row(
        name="an epoch from the cache of decoded pixels",
        against="the same epoch, decoding ahead in threads",
        measured=decoded_s / cached_s,
        unit="×",
        goal=1.0,
        better="higher",
        note=f"{IMAGES / cached_s:.0f} against {IMAGES / decoded_s:.0f} images/s; decoding once "
        f"took {once:.1f} s, an epoch with it {decoded_s - cached_s:.1f} s longer",
    )


def _measures(task: TrainingTask, folder: Path, rounds: int) -> Iterator[Row]:
    """What each measure gives on top of those before it."""
    precise = in_precision(task, "float32")
    trainer = make_trainer(precise, folder / "full")
    steps = {
        "plain torch: NCHW, nn.LocalResponseNorm": _plain_epoch(precise),
        "channels last": _plain_epoch(precise, last=True),
        "own local response norm": _plain_epoch(precise, last=True, own_norm=True),
        "fused SGD, filters capped: the trainer's own step": ready_epoch(trainer),
    }
    if supports_bfloat16(CPU):
        steps["bfloat16"] = ready_epoch(
            make_trainer(in_precision(task, "bfloat16"), folder / "half")
        )
    names, took = list(steps), _seconds(list(steps.values()), rounds)
    for place in range(1, len(names)):
        yield _gain(
            f"training step: {names[place]}", names[place - 1], *took[place - 1 : place + 1]
        )
    own = steps[names[3]]
    [given_back] = _seconds([own], rounds)
    disable_malloc_trim()
    [kept] = _seconds([own], rounds)
    yield _gain("training step: freed memory kept", "given back to the kernel", given_back, kept)


def _compile_row(task: TrainingTask, folder: Path, rounds: int) -> Row:
    begun = time.perf_counter()
    precise = in_precision(task, "float32")
    compiled = ready_epoch(make_trainer(precise, folder / "compiled", compiled=True))
    compiled()
    once = time.perf_counter() - begun
    own_s, compiled_s = _seconds(
        [ready_epoch(make_trainer(precise, folder / "own")), compiled], rounds
    )
    return _gain(
        f"training step: `--compile`, after {once:.0f} s", "not compiled", own_s, compiled_s
    )


def _gain(name: str, against: str, before_s: float, after_s: float) -> Row:
    note = f"{IMAGES / after_s:.0f} against {IMAGES / before_s:.0f} images/s"
    return Row(name, against, before_s / after_s, "×", 1.0, "higher", note)


def _plain_epoch(
    task: TrainingTask, *, last: bool = False, own_norm: bool = False
) -> Callable[[], None]:
    """The steps of an epoch as one would write them; with maps channels last, with our norm."""
    network, crop, size = (
        starting_network(task)[0],
        task.params.data.crop,
        task.params.train.batch_size,
    )
    layout = torch.channels_last if last else torch.contiguous_format
    network = network.train().to(memory_format=layout)
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-6, momentum=0.9, foreach=False)
    inputs = torch.randn(size, 3, crop, crop).contiguous(memory_format=layout)
    labels = torch.arange(size) % CLASSES
    module = TrainingForward(network) if own_norm else network

    def run() -> None:
        for _ in range(IMAGES // size):
            _plain_step(module, optimizer, inputs, labels)

    return run


def _plain_step(
    network: nn.Module, optimizer: torch.optim.Optimizer, inputs: Tensor, labels: Tensor
) -> None:
    optimizer.zero_grad()
    torch.autograd.backward(functional.cross_entropy(network(inputs), labels))
    optimizer.step()


def _seconds(runs: list[Callable[[], None]], rounds: int) -> list[float]:
    """The best time of each, taken in turn so that the machine's moods fall on all alike."""
    times: list[list[float]] = [[] for _ in runs]
    for _ in range(rounds + 1):
        for run, taken in zip(runs, times, strict=True):
            begun = time.perf_counter()
            run()
            taken.append(time.perf_counter() - begun)
    return [min(taken[1:]) for taken in times]
