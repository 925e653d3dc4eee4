import os
import signal
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from pipeline.errors import AtlasError
from pipeline.training.checkpoint import FILE, Position
from pipeline.training.distributed import Group, launch, process_count, process_group
from pipeline.training.task import ExecutionConfig
from pipeline.training.trainer import train
from tests.pipeline.training.tiny import make_workspace, task, trained, weights


def test_without_a_wish_there_is_one_process_on_a_cpu():
    assert process_count(torch.device("cpu"), 0) == 1
    assert process_count(torch.device("cpu"), 3) == 3


def test_every_process_needs_a_gpu_of_its_own(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert process_count(torch.device("cuda"), 0) == process_count(torch.device("cuda"), 2) == 2
    assert process_count(torch.device("cuda:1"), 0) == 1
    for device, wanted in (("cuda", 3), ("cuda:1", 2)):
        with pytest.raises(AtlasError, match=f"{wanted} processes cannot train"):
            process_count(torch.device(device), wanted)


@pytest.mark.parametrize(("rank", "positions"), [(0, [0, 3, 6]), (1, [1, 4]), (2, [2, 5])])
def test_a_batch_is_dealt_out_like_cards(rank, positions):
    assert list(range(7))[Group(rank, 3).shard(7)] == positions


@dataclass(frozen=True)
class Work:
    """What a process of the group receives."""

    root: Path
    killed_at: int = 0
    """Step at which rank 1 kills itself, the first time."""


def train_together(work: Work) -> None:
    """One of the processes: train, and let the first write the weights."""
    torch.set_num_threads(1)
    with process_group(torch.device("cpu")) as group:
        config = ExecutionConfig(torch.device("cpu"), 1, checkpoint_s=0.0)
        state = work.root / "state"
        steps = 0

        def kill(position: Position) -> None:
            nonlocal steps
            steps += 1
            with (work.root / f"steps_{group.rank}").open("a") as file:
                file.write("a step\n")
            once = work.root / "killed"
            if group.rank == 1 and steps == work.killed_at and not once.exists():
                once.touch()
                os.kill(os.getpid(), signal.SIGKILL)

        result = train(task(work.root), config, group, state, watch=kill)
        if group.is_main:
            record = result.history[-1]
            numbers = torch.tensor([record.train_loss, record.val_loss, record.val_top1_error])
            tensors = {"weights": weights(result), "numbers": numbers}
            save_file(tensors, work.root / "together.safetensors")


def fail(work: Work) -> None:
    raise AtlasError("This does not go.", fix="Do another thing.")


# 21 images in batches of 4: the last batch has one, so that one process has nothing of its own.
RECIPE = {"epochs": 2, "batch_size": 4, "filter_rms_cap": 0.1, "augment": "paper"}


def alone_and_together(tmp_path: Path, killed_at: int) -> tuple[dict[str, torch.Tensor], ...]:
    make_workspace(tmp_path, **RECIPE)
    (tmp_path / "state").mkdir()
    result = trained(tmp_path, state="alone")
    record = result.history[-1]
    alone = {
        "weights": weights(result),
        "numbers": torch.tensor([record.train_loss, record.val_loss, record.val_top1_error]),
    }
    launch(train_together, Work(tmp_path, killed_at), 2)
    return alone, load_file(tmp_path / "together.safetensors")


def test_two_processes_reach_the_losses_and_weights_of_one(tmp_path):
    alone, together = alone_and_together(tmp_path, killed_at=0)
    torch.testing.assert_close(together["numbers"], alone["numbers"], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(together["weights"], alone["weights"], rtol=1e-3, atol=1e-5)


def test_after_a_process_was_killed_the_group_goes_on_from_the_checkpoint(tmp_path):
    alone, together = alone_and_together(tmp_path, killed_at=8)
    assert (tmp_path / "killed").exists()
    assert (tmp_path / "state" / FILE).exists()
    steps = (tmp_path / "steps_1").read_text().splitlines()
    assert len(steps) == 12 + 1, "of 12, only the one it died in is repeated"
    torch.testing.assert_close(together["weights"], alone["weights"], rtol=1e-3, atol=1e-5)


def test_what_a_user_can_mend_reaches_the_one_who_launched(tmp_path):
    with pytest.raises(AtlasError, match=r"This does not go\. Do another thing\."):
        launch(fail, Work(tmp_path), 1)
