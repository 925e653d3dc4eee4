"""Schedulers that are not there, that say nothing, and what is not the address of one."""

import socket

import pytest

from pipeline.compute import scheduler
from pipeline.compute.scheduler import scheduler_client
from pipeline.errors import AtlasError


@pytest.mark.parametrize(
    "address", ["", "tcp://", "tcp://host", "host:8786", "http://h:1", "tcp://h:99999", "\0", "🦆"]
)
def test_what_is_not_an_address_is_refused_at_once(address):
    with (
        pytest.raises(AtlasError, match="is not the address of a Dask scheduler"),
        scheduler_client(address),
    ):
        pass


@pytest.fixture
def _short_patience(monkeypatch):
    monkeypatch.setattr(scheduler, "CONNECT_S", 0.5)


@pytest.mark.usefixtures("_short_patience")
def test_a_scheduler_that_is_not_there_is_named():
    with (
        socket.socket() as taken,  # bound, but not listening
        pytest.raises(AtlasError, match=r"No Dask scheduler answers at tcp://127\.0\.0\.1"),
    ):
        taken.bind(("127.0.0.1", 0))
        with scheduler_client(f"tcp://127.0.0.1:{taken.getsockname()[1]}"):
            pass


@pytest.mark.usefixtures("_short_patience")
def test_a_scheduler_that_accepts_and_says_nothing_is_named():
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(AtlasError, match=r"No Dask scheduler answers at tcp://127\.0\.0\.1"),
        scheduler_client(f"tcp://127.0.0.1:{silent.getsockname()[1]}"),
    ):
        pass
