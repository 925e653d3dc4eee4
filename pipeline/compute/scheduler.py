"""A Dask scheduler elsewhere: its address, and the connection to it."""

import asyncio
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from urllib.parse import urlsplit

from distributed import Client, Security
from distributed.core import rpc

from pipeline.compute.version import Versions, check_versions, versions_here
from pipeline.errors import AtlasError

CONNECT_S = 10.0
"""Seconds that a scheduler has to answer."""
SCHEMES = ("tcp", "tls", "ucx", "ws", "wss")


@contextmanager
def scheduler_client(scheduler: str) -> Iterator[Client]:
    """A client of the scheduler at an address, whose workers have the versions of this process.

    Raises AtlasError where none answers, or it has no workers, or one has other versions.
    """
    _check_address(scheduler)
    # It would log a traceback where the scheduler ends, of which `Pool.run` makes one line.
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
    try:
        with ThreadPoolExecutor(1) as thread:  # the calling one may run a loop, as in a notebook
            thread.submit(asyncio.run, asyncio.wait_for(_answers(scheduler), CONNECT_S)).result()
        client = Client(scheduler, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError, RuntimeError) as error:
        raise AtlasError(
            f"No Dask scheduler answers at {scheduler} ({error}).",
            fix="Start one with `dask scheduler`, or unset ATLAS_SCHEDULER.",
        ) from error
    with client:
        found = client.run(versions_here, on_error="return")
        if not found:
            raise AtlasError(
                f"The scheduler at {scheduler} has no workers.",
                fix=f"Start some with `dask worker {scheduler}`.",
            )
        for address, theirs in found.items():
            _check_worker(address, theirs)
        yield client


async def _answers(scheduler: str) -> None:
    """Return once a scheduler has answered: a Client waits for ever for one that stays silent."""
    async with rpc(scheduler, connection_args=Security().get_connection_args("client")) as remote:
        await remote.identity()


def _check_address(scheduler: str) -> None:
    """Raise AtlasError for what is not an address: Dask would try for minutes to reach any text."""
    try:
        parts = urlsplit(scheduler)
        complete = parts.scheme in SCHEMES and parts.hostname and parts.port
    except ValueError:  # a port beyond 65535, a bracket that is not closed
        complete = None
    if not complete:
        raise AtlasError(
            f"{scheduler!r} is not the address of a Dask scheduler.",
            fix="Write it as tcp://HOST:PORT, as `dask scheduler` prints it.",
        )


def _check_worker(address: str, theirs: Versions | Exception) -> None:
    if isinstance(theirs, Exception):
        raise AtlasError(
            f"The worker {address} cannot run this project ({theirs!r}).",
            fix="Install the same version of the project on it, restart it, and run again.",
        )
    check_versions(address, theirs, versions_here())
