"""A full disk is recognised even from writers that lose the system's error number."""

import errno
import shutil
from types import SimpleNamespace

import pytest

from pipeline.storage.disk import disk_full_error


@pytest.fixture(params=[0, 1 << 30], ids=["full", "roomy"])
def disk(request, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=request.param))
    return request.param


def test_an_error_without_a_number_counts_only_on_a_full_disk(disk, tmp_path):
    found = disk_full_error(RuntimeError("enforce fail"), tmp_path / "a" / "weights.safetensors")
    assert (found is not None) == (disk == 0)


@pytest.mark.usefixtures("disk")
def test_a_number_decides_whatever_is_free(tmp_path):
    assert disk_full_error(OSError(errno.ENOSPC, ""), tmp_path / "out") is not None
    assert disk_full_error(OSError(errno.ENOENT, ""), tmp_path / "out") is None


def test_the_message_says_where_why_and_what_to_do(tmp_path):
    fault = OSError(errno.ENOSPC, "")
    found = str(disk_full_error(fault, tmp_path / "crops.zarr"))
    assert found.endswith("crops.zarr: No space left on device. Free some space and run again.")
    assert str(disk_full_error(fault, tmp_path, kept=True)).endswith("; finished work is kept.")
