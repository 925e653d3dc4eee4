"""The processor cores that this process may use."""

import os


def cores() -> int:
    """Their number: those that the process is bound to, or all of the machine."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
