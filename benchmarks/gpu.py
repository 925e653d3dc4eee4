"""`python -m benchmarks.gpu`: every stage that computes on a GPU, its rate and its equality.

Each result is compared with the processor's own on the same images. `--cpu` rehearses it all at a
tiny size, the processor in place of the card, so that nothing fails for the first time there.
After nine minutes it ends, and says that rows are left out.
"""

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

import click
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.agreement import error
from benchmarks.compared import Amount, Compared, Measurement, memory_mib
from benchmarks.cost import wall
from benchmarks.epochs import CPU, fed_epoch, gradients, make_trainer, ready_epoch
from benchmarks.machine import description
from benchmarks.training_tasks import in_precision, zfnet_task
from benchmarks.world import make_torchvision_world, make_world
from pipeline.compute.device import configure_matmul
from pipeline.training.task import TrainingTask
from pipeline.training.trainer import Trainer

HEAD = ("what", "network", "rate", "of the matrix rate", "memory", "beside the processor")
PRECISIONS = ("float32", "bfloat16")
BUDGET_S = 8 * 60
"""After which no row is begun; a row takes less than a minute."""
DERIVED = 16
"""Images whose gradients are compared."""


@dataclass(frozen=True)
class Size:
    """How large everything is."""

    side: int
    """Of the input, pixels."""
    width: float
    """Of ZFNet."""
    other: str
    """The second network, of torchvision."""
    amount: Amount
    matrix: int
    """Rows of the product that gives the matrix rate."""
    epoch: int
    """Images of a training epoch."""
    batch: int
    """Of a training step."""


FULL = Size(224, 1.0, "resnet50", Amount(20_000, 128, 128, 200), 8192, 2048, 128)
REHEARSAL = Size(64, 0.125, "resnet18", Amount(16, 16, 8, 10), 256, 32, 16)


@click.command()
@click.option("--cpu", is_flag=True, help="Rehearse on the processor, at a tiny size.")
def main(cpu: bool) -> None:
    """Print the table of the GPU as Markdown; standard error says what is being measured."""
    if not cpu and not torch.cuda.is_available():
        raise click.ClickException("torch sees no CUDA device. `--cpu` rehearses without one.")
    click.echo(f"Measured on {description()}{' (a rehearsal)' if cpu else ''}.\n")
    device, size = torch.device("cpu" if cpu else "cuda"), REHEARSAL if cpu else FULL
    for cells in chain((HEAD, ("---",) * len(HEAD)), within(BUDGET_S, rows(device, size))):
        click.echo(f"| {' | '.join(cells)} |")


def within(budget_s: float, measured: Iterator[tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    """The rows that are begun within some seconds; then one that says that others are left out."""
    start = time.perf_counter()
    for cells in measured:
        yield cells
        if time.perf_counter() - start > budget_s:
            yield f"left out: all after this, {budget_s / 60:g} minutes are over", *[""] * 5
            return


def rows(device: torch.device, size: Size) -> Iterator[tuple[str, ...]]:
    """The table's rows."""
    rates = {name: _matrix_rate(device, size.matrix, name) for name in PRECISIONS}
    for name, rate in rates.items():
        yield "matrix product", name, f"{rate / 1e12:.3g} TFLOP/s", "1", "", ""
    photos = size.amount.equal
    for make in (
        partial(make_world, width=size.width, side=size.side, photos=photos),
        partial(make_torchvision_world, size.other, side=size.side, photos=photos),
    ):
        with tempfile.TemporaryDirectory() as folder:
            compared = Compared(make(Path(folder)), device, size.amount)
            for found in compared.measurements():
                click.echo(f"{compared.arch}: {found.what}", err=True)
                yield _cells(compared.arch, found, rates["float32"])
    for precision in PRECISIONS:
        for products, found in _training(device, size, precision):
            yield _cells(f"zfnet, {precision}", found, rates[products])


def _cells(network: str, found: Measurement, matrix_rate: float) -> tuple[str, ...]:
    rate = "" if found.rate is None else f"{found.rate:,.0f}/s"
    share = ""
    if found.rate is not None and found.flop is not None:
        share = f"{found.rate * found.flop / matrix_rate:.2g}"
    held = "" if found.mib is None else f"{found.mib:,.0f} MiB"
    return found.what, network, rate, share, held, found.beside


def _matrix_rate(device: torch.device, side: int, dtype: str) -> float:
    """Floating-point operations per second of a square product."""
    configure_matmul(device, tf32=False)
    factor = torch.randn(side, side, device=device).to(getattr(torch, dtype))
    times = [wall(lambda: factor @ factor, device)[0] for _ in range(4)]
    return 2 * side**3 / min(times[1:])


def _training(
    device: torch.device, size: Size, precision: str
) -> Iterator[tuple[str, Measurement]]:
    """Epochs of ZFNet by the paper's recipe, in images per second, the first turn left out.

    Each with the precision of its products, which is float32 where there are no others.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        task = zfnet_task(folder, size.epoch, size.width, size.side, size.batch, precision)
        trainer = make_trainer(task, folder / "state", device=device)
        beside = _gradients_beside(task, trainer, folder / "beside")
        flop = _training_flop(trainer)
        memory_mib(device)
        for what, epoch in (
            ("inputs ready", ready_epoch(trainer)),
            ("from decoded pixels", fed_epoch(trainer)),
        ):
            seconds = min(wall(epoch, device)[0] for _ in range(3))
            rate = size.epoch / seconds
            found = Measurement(f"training, {what}", rate, flop, memory_mib(device), beside)
            yield "bfloat16" if trainer.losses.use_bfloat16 else "float32", found
            beside = ""


def _gradients_beside(task: TrainingTask, trainer: Trainer, state: Path) -> str:
    """How far the gradients of the first step are from the processor's, which are in float32.

    Biases are left out: their gradients are sums over images and cells that all but cancel.
    """
    exact = make_trainer(in_precision(task, "float32"), state, device=CPU)
    ours, theirs = gradients(trainer, DERIVED), gradients(exact, DERIVED)
    weights = [name for name in theirs if name.endswith("weight")]
    worst = max(error(ours[name].numpy(), theirs[name].numpy()) for name in weights)
    words = f"gradients of weights, {DERIVED} images, differ by at most {worst:.1g} (relative L2)"
    if trainer.params.precision == "bfloat16" and not trainer.losses.use_bfloat16:
        words += "; in float32: there are no products in bfloat16"
    return words


def _training_flop(trainer: Trainer) -> float:
    """Floating-point operations of an image: both ways, and the gradients of the weights."""
    with FlopCounterMode(display=False) as counter:
        gradients(trainer, DERIVED)
    return int(counter.get_total_flops()) / DERIVED


if __name__ == "__main__":
    main()
