"""Everything that a stage imports, for a process that forks a stage at each fault."""

from importlib import import_module

import torch._dynamo  # noqa: F401  # the first optimizer of a training imports it

from tests.faults.forks import STAGES

for stage in STAGES:
    import_module(f"stages.{stage}")
