"""`python -m benchmarks.gpu`: every stage that computes on a GPU, its rate and its equality.

Each result is compared with the processor's own on the same images. `--cpu` rehearses it all at a
tiny size, the processor in place of the card, so that nothing fails for the first time there.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

import click
import torch

from benchmarks.compared import Amount, Compared
from benchmarks.cost import wall
from benchmarks.machine import description
from benchmarks.training import fed_epoch, make_trainer, ready_epoch, zfnet_task
from benchmarks.world import make_torchvision_world, make_world
from pipeline.compute.device import configure_matmul

HEAD = ("what", "network", "rate", "of the matrix rate", "memory", "beside the processor")
PRECISIONS = ("float32", "bfloat16")


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
REHEARSAL = Size(96, 0.125, "resnet18", Amount(48, 24, 8, 10), 256, 32, 16)


@click.command()
@click.option("--cpu", is_flag=True, help="Rehearse on the processor, at a tiny size.")
def main(cpu: bool) -> None:
    """Print the table of the GPU as Markdown; standard error says what is being measured."""
    if not cpu and not torch.cuda.is_available():
        raise click.ClickException("torch sees no CUDA device. `--cpu` rehearses without one.")
    click.echo(f"Measured on {description()}{' (a rehearsal)' if cpu else ''}.\n")
    device, size = torch.device("cpu" if cpu else "cuda"), REHEARSAL if cpu else FULL
    for cells in chain((HEAD, ("---",) * len(HEAD)), rows(device, size)):
        click.echo(f"| {' | '.join(cells)} |")


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
                rate = "" if found.rate is None else f"{found.rate:,.0f}/s"
                share = (
                    ""
                    if found.rate is None or found.flop is None
                    else f"{found.rate * found.flop / rates['float32']:.2g}"
                )
                held = "" if found.mib is None else f"{found.mib:,.0f} MiB"
                yield found.what, compared.arch, rate, share, held, found.beside
    yield from _training_rows(device, size)


def _matrix_rate(device: torch.device, side: int, dtype: str) -> float:
    """Floating-point operations per second of a square product."""
    configure_matmul(device, tf32=False)
    factor = torch.randn(side, side, device=device).to(getattr(torch, dtype))
    times = [wall(lambda: factor @ factor, device)[0] for _ in range(4)]
    return 2 * side**3 / min(times[1:])


def _training_rows(device: torch.device, size: Size) -> Iterator[tuple[str, ...]]:
    """Epochs of ZFNet by the paper's recipe, in images per second, the first turn left out."""
    for precision in PRECISIONS:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            task = zfnet_task(folder, size.epoch, size.width, size.side, size.batch, precision)
            trainer = make_trainer(task, folder / "state", device=device)
            falls_back = precision == "bfloat16" and not trainer.use_bfloat16
            note = "float32: there are no products in bfloat16" if falls_back else ""
            for what, epoch in (
                ("inputs ready", ready_epoch(trainer)),
                ("from decoded pixels", fed_epoch(trainer)),
            ):
                seconds = min(wall(epoch, device)[0] for _ in range(3))
                rate = size.epoch / seconds
                yield f"training, {what}", f"zfnet, {precision}", f"{rate:,.0f}/s", "", "", note


if __name__ == "__main__":
    main()
