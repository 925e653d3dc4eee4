"""The program `atlas`: it ties itself to its parent before it spends seconds on imports."""

import os

from pipeline.parent import end_with_parent


def main() -> None:
    """Run the command line.

    Under DVC, a killed `dvc repro` would otherwise leave its stage running beside the next one's.
    """
    if "DVC_STAGE" in os.environ:
        end_with_parent()
    from stages.cli import main as run

    run(prog_name="atlas")
