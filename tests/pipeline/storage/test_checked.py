"""A state file is believed only with every bit in place."""

import numpy as np
import pytest
import torch

from pipeline.errors import AtlasError
from pipeline.storage import checked
from pipeline.storage.checked import read_checked, write_checked


def test_what_was_written_comes_back(tmp_path):
    path = tmp_path / "mark"
    write_checked(path, lambda file: file.write(b"41 chunks"))
    content = read_checked(path)
    assert content is not None
    assert content.read() == b"41 chunks"
    assert [p.name for p in tmp_path.iterdir()] == ["mark"]


def test_archives_of_numpy_and_torch_do_not_notice_the_checksum_before_them(tmp_path):
    write_checked(tmp_path / "a", lambda file: np.savez(file, x=np.arange(3)))
    write_checked(tmp_path / "b", lambda file: torch.save({"x": torch.arange(3)}, file))
    first, second = read_checked(tmp_path / "a"), read_checked(tmp_path / "b")
    assert first
    assert second
    assert np.load(first)["x"].tolist() == [0, 1, 2]
    assert torch.load(second, weights_only=True)["x"].tolist() == [0, 1, 2]


def test_there_is_no_content_without_a_file(tmp_path):
    assert read_checked(tmp_path / "mark") is None


@pytest.mark.parametrize("bit", range(0, 8 * 74, 37))
def test_a_flipped_bit_is_noticed_wherever_it_is(tmp_path, caplog, bit):
    path = tmp_path / "mark"
    write_checked(path, lambda file: file.write(b"41 chunks"))
    content = bytearray(path.read_bytes())
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)
    assert read_checked(path) is None
    assert not path.exists()
    assert [record.getMessage() for record in caplog.records] == [
        f"{path} is damaged; it is removed, and its work is done again."
    ]


@pytest.mark.parametrize("length", [0, 1, 64, 65, 73])
def test_a_file_that_was_cut_short_is_noticed(tmp_path, length):
    path = tmp_path / "mark"
    write_checked(path, lambda file: file.write(b"41 chunks"))
    path.write_bytes(path.read_bytes()[:length])
    assert read_checked(path) is None


def test_on_a_full_disk_the_old_content_stays(tmp_path, monkeypatch):
    path = tmp_path / "mark"
    write_checked(path, lambda file: file.write(b"41 chunks"))
    monkeypatch.setattr(checked.os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "full")))
    with pytest.raises(AtlasError, match="No space left to write"):
        write_checked(path, lambda file: file.write(b"42 chunks"))
    content = read_checked(path)
    assert content is not None
    assert content.read() == b"41 chunks"
