"""Reads from a server that fails: repeated, or ended by an error of one line; never other bytes."""

import pytest

from pipeline.dataset import attempts, remote
from pipeline.dataset.members import UnreachableError, tar_position
from pipeline.dataset.remote import RemoteStore
from pipeline.errors import AtlasError
from tests import layouts

BYTES = bytes(range(256)) * 20
PASSING = ["503", "half", "reset", "slow"]


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.setattr(attempts, "WAITS_S", (0.0, 0.0, 0.0))
    monkeypatch.setattr(remote, "BLOCK", 1000)
    (tmp_path / "a photo #1?.jpg").write_bytes(BYTES)
    (tmp_path / "shard.tar").write_bytes(BYTES)
    with layouts.served(tmp_path) as server:
        yield server


READS = {
    "a file": lambda store: store.read("a photo #1?.jpg"),
    "a part": lambda store: store.read(f"shard.tar/x.jpg\0{tar_position(0, len(BYTES))}"),
    "in pieces": lambda store: store.open("shard.tar").read(),
}


@pytest.mark.parametrize("failure", PASSING)
@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_a_read_that_fails_is_repeated(server, read, failure, monkeypatch):
    if failure == "slow":
        monkeypatch.setattr(remote, "SILENCE_S", 0.5)
    server.failures[:] = [failure]
    assert read(RemoteStore(server.url)) == BYTES
    assert server.failures == []


@pytest.mark.parametrize("failure", PASSING)
def test_a_read_that_fails_four_times_is_an_error(server, failure, monkeypatch):
    if failure == "slow":
        monkeypatch.setattr(remote, "SILENCE_S", 0.2)
    server.failures[:] = [failure] * 5
    with pytest.raises(UnreachableError):
        RemoteStore(server.url).read("shard.tar")
    assert server.failures == [failure]


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_what_is_not_there_is_not_asked_for_again(server, tmp_path, read):
    for path in tmp_path.iterdir():
        path.unlink()
    with pytest.raises(FileNotFoundError):
        read(RemoteStore(server.url))
    assert len(server.asked) <= 2


def test_a_server_that_has_gone_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(attempts, "WAITS_S", (0.0,))
    with layouts.served(tmp_path) as server:
        store = RemoteStore(server.url)
    with pytest.raises(UnreachableError):
        store.read("shard.tar")


def test_a_file_in_pieces_reads_from_any_place(server):
    with RemoteStore(server.url).open("shard.tar") as file:
        assert file.seek(-10, 2) == len(BYTES) - 10
        assert file.read() == BYTES[-10:]
        file.seek(700)
        assert file.read(600) == BYTES[700:1300]
        file.seek(100, 1)
        assert file.read(5) == BYTES[1400:1405]
        file.seek(len(BYTES) + 5)
        assert file.read(5) == b""


@pytest.mark.parametrize("url", ["http://[::1", "https://[x]/photos"])
def test_what_is_no_url_is_said_to_be_none(url):
    with pytest.raises(AtlasError, match=r"is no URL: .*Correct it"):
        RemoteStore(url)
