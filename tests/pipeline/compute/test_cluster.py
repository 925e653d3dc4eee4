"""Tasks of torch: their device and their threads."""

import torch

from pipeline.compute.cluster import workers
from tests.pipeline.compute.jobs import CPU


def surroundings(job: int, device: torch.device) -> tuple[torch.device, int]:
    return device, torch.get_num_threads()


def test_a_task_computes_with_one_thread_and_the_caller_with_as_many_as_before():
    before = torch.get_num_threads()
    with workers(None, 0, CPU, cores=2) as pool:
        assert pool.threads == 2
        assert dict(pool.run(surroundings, [(0, 0)])) == {0: (CPU, 1)}
    assert torch.get_num_threads() == before
