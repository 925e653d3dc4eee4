import json
import os
import stat
import struct
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from pipeline.errors import AtlasError
from pipeline.network.weights_file import check_plain, check_values, read_weights


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (torch.tensor([1.0, float("nan")]), "w is NaN or infinite in 1 of 2 values"),
        (torch.tensor([float("inf"), float("-inf")]), "w is NaN or infinite in 2 of 2 values"),
        (torch.tensor([1e300], dtype=torch.float64), "w is NaN or infinite in 1 of 1"),
        (torch.tensor([1]), "w is of int64"),
        (torch.tensor([True]), "w is of bool"),
    ],
)
def test_what_is_not_a_finite_number_of_32_bits_is_named(value, said):
    with pytest.raises(AtlasError, match=said):
        check_values({"good": torch.zeros(2), "w": value}, "w.pth", fix="Correct it.")


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_real_numbers_of_every_width_are_weights(kind, tmp_path):
    save_file({"w": torch.ones(3, dtype=kind)}, tmp_path / "w.safetensors")
    tensors = read_weights(tmp_path / "w.safetensors")
    check_values(tensors, "w", fix="")
    assert torch.equal(tensors["w"].float(), torch.ones(3))


@pytest.mark.parametrize("kind", [torch.complex64, torch.float8_e4m3fn, torch.float8_e5m2])
def test_numbers_of_another_kind_are_named(kind, tmp_path):
    save_file({"w": torch.zeros(4).to(kind)}, tmp_path / "w.safetensors")
    with pytest.raises(AtlasError, match="holds no plain weights: w is"):
        read_weights(tmp_path / "w.safetensors")


def test_a_shape_that_few_bytes_cannot_fill_is_refused_before_it_is_computed_with(tmp_path):
    path = tmp_path / "w.pth"
    path.write_bytes(bytes(100))
    with pytest.raises(AtlasError, match=r"its 100 bytes stand for 4\d{12}"):
        check_plain({"w": torch.zeros(1).expand(10**6, 10**6)}, path, fix="")
    tied = torch.zeros(20)
    check_plain({"encoder": tied, "decoder": tied}, path, fix="")


def header(**entries: object) -> bytes:
    text = json.dumps(entries).encode()
    return struct.pack("<Q", len(text)) + text


@pytest.mark.parametrize(
    "content",
    [
        b"",
        bytes(7),
        struct.pack("<Q", 2**62) + b"{}",
        struct.pack("<Q", 50) + b"{",
        header(w={"dtype": "F32", "shape": [10**12], "data_offsets": [0, 4]}) + bytes(4),
        header(w={"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}) + bytes(3),
        header(w={"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}) + bytes(4),
        header(w={"dtype": "X9", "shape": [1], "data_offsets": [0, 4]}) + bytes(4),
        header(
            v={"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
            w={"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
        )
        + bytes(4),
        b"PK\x03\x04" + bytes(60),
    ],
)
def test_a_damaged_header_is_one_line(tmp_path, content):
    path = tmp_path / "w.safetensors"
    path.write_bytes(content)
    with pytest.raises(AtlasError, match=r"w\.safetensors is not a readable safetensors file"):
        read_weights(path)


def test_a_file_cut_anywhere_is_one_line(tmp_path):
    path = tmp_path / "w.safetensors"
    save_file({"v": torch.zeros(30), "w": torch.ones(3, 3)}, path)
    content = path.read_bytes()
    for length in range(0, len(content), 7):
        path.write_bytes(content[:length])
        with pytest.raises(AtlasError, match=r"w\.safetensors is not a readable"):
            read_weights(path)


def test_what_is_not_a_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.safetensors")
    (tmp_path / "loop.safetensors").symlink_to("loop.safetensors")
    for path, said in (
        (tmp_path / "pipe.safetensors", "is not a regular file"),
        (tmp_path, "is not a regular file"),
        (tmp_path / "loop.safetensors", "cannot be read: Too many levels of symbolic links"),
        (tmp_path / "none.safetensors", "There is no file"),
        (tmp_path / "none" / "w.safetensors", "There is no file"),
    ):
        with pytest.raises(AtlasError, match=said):
            read_weights(path)


def forbidden(path: Path) -> object:
    raise PermissionError(13, "Permission denied")


@pytest.mark.parametrize("call", ["stat", "open"])
def test_a_file_that_may_not_be_read_is_not_said_to_be_missing(tmp_path, monkeypatch, call):
    path = tmp_path / "w.safetensors"
    save_file({"w": torch.zeros(1)}, path)
    assert stat.S_ISREG(path.stat().st_mode)
    monkeypatch.setattr(Path, call, lambda *_, **__: forbidden(path))
    with pytest.raises(AtlasError, match=r"cannot be read: Permission denied"):
        read_weights(path)
