import pickle
import zipfile
from collections.abc import Callable
from copy import copy
from pathlib import Path

import pytest
import torch

from pipeline.adopt.pickled import read_pickled
from pipeline.errors import AtlasError

WEIGHTS = {"v": torch.arange(6.0).reshape(2, 3), "w": torch.ones(4)}


@pytest.mark.parametrize("zipped", [True, False])
def test_both_formats_of_torch_are_read(tmp_path, zipped):
    path = tmp_path / "w.pth"
    torch.save(WEIGHTS, path, _use_new_zipfile_serialization=zipped)
    found = read_pickled(path)
    assert found.keys() == WEIGHTS.keys()
    assert all(torch.equal(found[name], tensor) for name, tensor in WEIGHTS.items())


def test_a_parameter_is_read_as_its_values(tmp_path):
    torch.save({"w": torch.nn.Parameter(torch.ones(2))}, tmp_path / "w.pth")
    assert not read_pickled(tmp_path / "w.pth")["w"].requires_grad


@pytest.mark.parametrize("holder", ["state_dict", "model_state_dict", "model"])
def test_weights_are_found_in_a_checkpoint(tmp_path, holder):
    torch.save({"epoch": 3, holder: WEIGHTS, "optimizer": {"state": {}}}, tmp_path / "w.pth")
    assert read_pickled(tmp_path / "w.pth").keys() == WEIGHTS.keys()


def test_weights_are_found_as_the_one_mapping_of_tensors(tmp_path):
    path = tmp_path / "w.pth"
    torch.save({"ema": WEIGHTS, "epoch": 3, "optimizer": {"state": {}}, "more": {}}, path)
    assert read_pickled(path).keys() == WEIGHTS.keys()
    for beside in ({"student": WEIGHTS}, {"step": torch.zeros(1)}):
        torch.save({"ema": WEIGHTS} | beside, path)
        with pytest.raises(AtlasError, match="ema is not a tensor but a dict"):
            read_pickled(path)


def test_a_tensor_may_be_named_as_what_holds_others(tmp_path):
    torch.save({"model": torch.zeros(1)}, tmp_path / "w.pth")
    assert read_pickled(tmp_path / "w.pth").keys() == {"model"}


def quantised(tensor: torch.Tensor) -> torch.Tensor:
    return torch.quantize_per_tensor(tensor, 0.01, 0, torch.qint8)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.to_sparse(), r"w is sparse \(sparse_coo\)"),
        (lambda t: t.reshape(2, 2).to_sparse_csr(), r"w is sparse \(sparse_csr\)"),
        (quantised, "w is quantised"),
        (lambda t: torch.nested.nested_tensor([t]), "w is nested"),
        (lambda t: t.to("meta"), r"w is without values \(device meta\)"),
        (lambda t: t.to(torch.complex128), "w is complex"),
        (lambda t: t.to(torch.float8_e5m2), "w is of float8_e5m2"),
        (lambda t: t[:1].expand(10**6, 10**6), "bytes stand for 4"),
    ],
)
def test_tensors_that_are_no_arrays_of_real_numbers_are_named(tmp_path, change, said):
    torch.save({"v": torch.zeros(2), "w": change(torch.ones(4))}, tmp_path / "w.pth")
    with pytest.raises(AtlasError, match=said):
        read_pickled(tmp_path / "w.pth")


def rewritten(path: Path, kind: int, change: Callable[[str, bytes], bytes]) -> None:
    """Write the members of a file of torch's again, changed and otherwise packed."""
    with zipfile.ZipFile(path) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    with zipfile.ZipFile(path, "w", kind) as archive:
        for name, content in members:
            archive.writestr(name, change(name, content))


@pytest.mark.parametrize("kind", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@pytest.mark.parametrize("inflated", ["data.pkl", "data/0"])
def test_a_compressed_member_is_refused_before_it_is_inflated(
    tmp_path, monkeypatch, kind, inflated
):
    path = tmp_path / "w.pth"
    torch.save(WEIGHTS, path)
    bomb = bytes(1 << 24)
    rewritten(path, kind, lambda name, c: bomb if name.endswith(inflated) else c)
    assert path.stat().st_size < len(bomb) // 100
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("it was read"))
    with pytest.raises(AtlasError, match=r"has a compressed member w/.*, which torch never writes"):
        read_pickled(path)


def test_members_that_share_their_bytes_are_refused_before_they_are_read(tmp_path, monkeypatch):
    path = tmp_path / "w.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("w/data/0", bytes(5000))
        for number in range(1, 20):
            member = copy(archive.getinfo("w/data/0"))
            member.filename = f"w/data/{number}"
            archive.filelist.append(member)
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("it was read"))
    with pytest.raises(AtlasError, match="has members that overlap"):
        read_pickled(path)


def test_a_storage_of_fewer_bytes_than_it_claims_is_damaged(tmp_path):
    path = tmp_path / "w.pth"
    torch.save({"w": torch.ones(4)}, path)
    claimed = b"J" + (1 << 28).to_bytes(4, "little")  # pickle's four-byte number
    rewritten(
        path,
        zipfile.ZIP_STORED,
        lambda name, c: c.replace(b"K\x04", claimed) if name.endswith("data.pkl") else c,
    )
    with pytest.raises(AtlasError, match="is damaged"):
        read_pickled(path)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_file_cut_anywhere_is_one_line(tmp_path, zipped):
    path = tmp_path / "w.pth"
    torch.save(WEIGHTS, path, _use_new_zipfile_serialization=zipped)
    content = path.read_bytes()
    for length in range(0, len(content) - 1, 1 + len(content) // 60):
        path.write_bytes(content[:length])
        with pytest.raises(AtlasError, match="cannot be read as plain tensors"):
            read_pickled(path)


@pytest.mark.filterwarnings("ignore")
def test_a_program_is_called_one(tmp_path):
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), str(tmp_path / "w.pt"))
    with pytest.raises(AtlasError, match="is a TorchScript program"):
        read_pickled(tmp_path / "w.pt")


def test_a_deep_pickle_is_one_line(tmp_path):
    path = tmp_path / "w.pth"
    nested = b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b"."
    path.write_bytes(nested)
    with pytest.raises(AtlasError, match="cannot be read as plain tensors"):
        read_pickled(path)
    path.write_bytes(pickle.dumps({"w": [[]]}, protocol=2))
    with pytest.raises(AtlasError):
        read_pickled(path)
