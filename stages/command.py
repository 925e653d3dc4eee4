"""What every command shares: its workspace, its log, its bar, and errors in one line."""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import NoReturn

import click
from tqdm import tqdm

from pipeline.errors import AtlasError
from pipeline.progress import Advance
from pipeline.storage.disk import disk_full_error
from pipeline.workspace import Workspace

device_option = click.option(
    "--device",
    envvar="ATLAS_DEVICE",
    default="cpu",
    show_default=True,
    show_envvar=True,
    help="Where to compute: cpu, cuda, cuda:1 …",
)
workers_option = click.option(
    "--workers",
    type=click.IntRange(min=0),
    envvar="ATLAS_WORKERS",
    default=0,
    show_envvar=True,
    help="Worker processes; 0, the default, computes in this one with all cores.",
)
scheduler_option = click.option(
    "--scheduler",
    envvar="ATLAS_SCHEDULER",
    show_envvar=True,
    help="Address of a running Dask scheduler (tcp://…); its workers are used.",
)


_workspace_option = click.option(
    "--workspace",
    "-w",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="ATLAS_WORKSPACE",
    default=Path("."),
    show_default=True,
    help="The folder with params.yaml and artifacts/.",
)


def stage(function: Callable[..., None]) -> click.Command:
    """Make a click command of a function whose first argument is the workspace.

    What a user can put right ends in one line on standard error and status 1; Ctrl-C in status 130.
    """

    @wraps(function)
    def run(workspace: Path, **options: object) -> None:
        logging.basicConfig(level=logging.INFO, format="%(message)s")
        try:
            function(Workspace(workspace), **options)
        except AtlasError as error:
            _end(f"Error: {error}", status=1)
        except OSError as error:
            if full := disk_full_error(error, workspace.absolute()):
                _end(f"Error: {full}", status=1)
            raise
        except KeyboardInterrupt:
            _end("Stopped; run again to resume.", status=130)

    return click.command()(_workspace_option(run))


def _end(message: str, status: int) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(status)


def drawn_every_s() -> float:
    """Seconds between two drawings of a bar: seldom where they end up in a log."""
    return 0.5 if sys.stderr.isatty() else 15.0


@contextmanager
def bar(title: str, total: int | None, unit: str) -> Iterator[Advance]:
    """A progress bar with rate and time left, on standard error; yields its `advance`."""
    with tqdm(
        total=total,
        desc=title,
        unit=f" {unit}",
        dynamic_ncols=True,
        mininterval=drawn_every_s(),
    ) as drawn:
        yield drawn.update
