"""Collectives of processes of one machine, compared with sums and maxima taken here."""

from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from safetensors.torch import load_file, save_file

from pipeline.training.distributed import launch, process_group
from pipeline.training.local_backend import SLOT_BYTES

LONG = SLOT_BYTES // 4 + 5
"""Float32 numbers that take two passes through the slots."""


def tensors_of(rank: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(rank)
    image = torch.randn(2, 3, 4, 5, generator=generator)
    return {
        "long": torch.randn(LONG, generator=generator),
        "single": torch.tensor(float(rank)),
        "whole": torch.randint(-(2**40), 2**40, (7,), generator=generator),
        "half": torch.randn(33, generator=generator).bfloat16(),
        "channels_last": image.contiguous(memory_format=torch.channels_last),
    }


@dataclass(frozen=True)
class Work:
    folder: Path


def reduce_all(work: Work) -> None:
    with process_group(torch.device("cpu")) as group:
        results = {}
        for name, tensor in tensors_of(group.rank).items():
            results[f"sum {name}"] = group.all_reduce_sum(
                tensor.clone(memory_format=torch.preserve_format)
            )
            results[f"max {name}"] = group.all_reduce_max(
                tensor.clone(memory_format=torch.preserve_format)
            )
            copy = tensor.clone(memory_format=torch.preserve_format)
            dist.broadcast(copy, src=group.size - 1)
            results[f"broadcast {name}"] = copy
            gathered = [torch.empty_like(tensor) for _ in range(group.size)]
            dist.all_gather(gathered, tensor)
            results[f"gather {name}"] = torch.stack(gathered)
        group.barrier()
        path = work.folder / f"{group.rank}.safetensors"
        save_file({name: value.contiguous() for name, value in results.items()}, path)


@pytest.mark.parametrize("count", [2, 3])
def test_every_process_gets_the_same_correct_result(tmp_path, count):
    launch(reduce_all, Work(tmp_path), count)
    all_inputs = [tensors_of(rank) for rank in range(count)]
    results = [load_file(tmp_path / f"{rank}.safetensors") for rank in range(count)]
    for name in all_inputs[0]:
        stacked = torch.stack([inputs[name] for inputs in all_inputs])
        expected = {
            "max": stacked.amax(dim=0),
            "broadcast": stacked[-1],
            "gather": stacked,
        }
        for result in results:
            for operation, value in expected.items():
                assert torch.equal(result[f"{operation} {name}"], value), (operation, name)
            total = result[f"sum {name}"]
            assert torch.equal(total, results[0][f"sum {name}"])
            # A sum in bfloat16 is rounded at every process; torch rounds only the last.
            rtol, atol = (0.02, 2**-7) if name == "half" else (1.3e-6, 1e-5)
            torch.testing.assert_close(total, stacked.sum(dim=0), rtol=rtol, atol=atol)
