"""Devices by name."""

import pytest
import torch

from pipeline.compute.device import configure_matmul, device_for_slot, parse_device
from pipeline.errors import AtlasError


def test_the_cpu_is_a_device():
    assert parse_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize("text", ["abacus", "meta", "cuda:99", ""])
def test_what_is_not_there_is_refused(text):
    with pytest.raises(AtlasError, match="device"):
        parse_device(text)


def test_processes_go_round_the_cards(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    cuda = torch.device("cuda")
    assert [device_for_slot(cuda, slot).index for slot in range(4)] == [0, 1, 0, 1]
    assert device_for_slot(torch.device("cuda:1"), 4).index == 1
    assert device_for_slot(torch.device("cpu"), 4) == torch.device("cpu")


def test_a_device_of_the_workers_need_not_be_here():
    assert parse_device("cuda:99", remote=True) == torch.device("cuda:99")


def test_a_tasks_products_do_not_depend_on_the_task_before():
    cuda = torch.device("cuda")
    configure_matmul(cuda, tf32=True)
    assert (torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32) == (True,) * 2
    configure_matmul(cuda, tf32=False)
    assert (torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32) == (False,) * 2
    assert torch.backends.cudnn.deterministic
