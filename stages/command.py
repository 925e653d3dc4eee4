"""The frame of every command: its workspace, its log, its bar, and errors in one line."""

import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import wraps
from pathlib import Path
from typing import NoReturn

import click
from tqdm import tqdm

from pipeline.errors import AtlasError, is_lack_of_memory, printable
from pipeline.progress import Advance
from pipeline.storage.disk import disk_full_error
from pipeline.storage.state import held
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
        log_to_terminal()
        try:
            function(Workspace(workspace), **options)
        except AtlasError as error:
            _end(f"Error: {error}", status=1)
        except OSError as error:
            if error.errno is None:  # no fault of the system
                raise
            _end(f"Error: {_of_the_system(error, workspace)}", status=1)
        except (MemoryError, RuntimeError) as error:
            if (lack := _lack(error)) is None:
                raise
            warnings.simplefilter("ignore")  # of coroutines that were begun and are not awaited now
            _end(f"Error: {lack}", status=1)
        except KeyboardInterrupt:
            kept = _keeps_work(Workspace(workspace), _name(function))
            _end(f"Stopped; run again to {'resume' if kept else 'start over'}.", status=130)

    return click.command()(_workspace_option(run))


def alone(function: Callable[..., None]) -> Callable[..., None]:
    """Let one process at a time run a stage in a workspace; a second says so in one line and stops.

    For stages that keep no state: `stage_state` does the same for the others.
    """

    @wraps(function)
    def run(workspace: Workspace, **options: object) -> None:
        there = workspace.root.is_dir()  # else it is for the stage to say so
        with held(workspace.state(_name(function))) if there else nullcontext():
            function(workspace, **options)

    return run


def _name(function: Callable[..., None]) -> str:
    """The stage of a command's function: its module."""
    return function.__module__.rpartition(".")[2]


def _of_the_system(error: OSError, workspace: Path) -> AtlasError:
    """What the system refused: a file, its permission, its disk, its limits."""
    if full := disk_full_error(error, workspace.absolute()):
        return full
    where = f"{error.filename}: " if error.filename is not None else ""
    return AtlasError(
        f"{where}{os.strerror(error.errno or 0)}.",
        fix="Check permissions and limits there, then run again.",
    )


def _lack(error: Exception) -> AtlasError | None:
    """Memory or threads that ran out.

    torch says so of a GPU's memory in a class of its own, Python of threads in words alone.
    """
    if "t start new thread" in str(error):
        return AtlasError(
            "The system refuses to start more threads.",
            fix="Raise the limits of memory and processes (ulimit -v, ulimit -u).",
        )
    if is_lack_of_memory(error) or type(error).__name__ == "OutOfMemoryError":
        return AtlasError("Out of memory.", fix="Close other programs, or lower a batch size.")
    return None


def _keeps_work(workspace: Workspace, stage: str) -> bool:
    """Whether a stage has left state, so that its next run resumes."""
    return any(path.is_file() for path in workspace.state(stage).glob("*/**/*"))


class _Printable(logging.Formatter):
    """A line of the log, in which names that come from others are only shown."""

    def format(self, record: logging.LogRecord) -> str:
        """The message, without control characters; a traceback keeps its lines."""
        return (
            printable(super().format(record)) if record.exc_info is None else super().format(record)
        )


def log_to_terminal(level: int = logging.INFO) -> None:
    """Log messages alone on standard error, and keep Pillow's remarks on odd files off it."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Printable("%(message)s"))
    logging.basicConfig(level=level, handlers=[handler])
    logging.getLogger("PIL").setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", module=r"PIL\.")


def _end(message: str, status: int) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(status)


def drawn_every_s() -> float:
    """Seconds between two drawings of a bar: seldom where they end up in a log."""
    return 0.5 if sys.stderr.isatty() else 15.0


@contextmanager
def bar(title: str, total: int | None, unit: str, delay_s: float = 0.0) -> Iterator[Advance]:
    """A progress bar with rate and time left, on standard error; yields its `advance`.

    Work that ends before the delay shows none.
    """
    with tqdm(
        total=total,
        desc=title,
        unit=f" {unit}",
        dynamic_ncols=True,
        mininterval=drawn_every_s(),
        delay=delay_s,
    ) as drawn:
        yield drawn.update
