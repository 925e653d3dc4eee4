"""Freed memory is kept."""

import subprocess
import sys

import pytest

PAGES_FOUND = """
from resource import RUSAGE_SELF, getrusage
from sys import argv
import torch
from pipeline.compute.malloc import disable_malloc_trim
torch.set_num_threads(1)
if argv[1] == "kept":
    disable_malloc_trim()
for _ in range(20):
    torch.ones(1 << 24)
before = getrusage(RUSAGE_SELF).ru_minflt
for _ in range(5):
    torch.ones(1 << 24)
print(getrusage(RUSAGE_SELF).ru_minflt - before)
"""
"""Prints how many pages the kernel had to find for a tensor of 64 MiB made five times, once the
heap had settled."""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator")
def test_big_tensors_find_their_old_pages_again():
    assert pages_found("given back") > 1000
    assert pages_found("kept") < 100


def pages_found(kept: str) -> int:
    command = [sys.executable, "-c", PAGES_FOUND, kept]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
