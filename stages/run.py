"""`atlas run`: every stage in order, without DVC."""

from importlib import import_module

import click

from pipeline.workspace import Workspace
from stages.command import alone, stage

ORDER = ("prepare", "train", "evaluate", "scan", "project", "crop", "verify", "figures", "render")
"""As in dvc.yaml."""


@stage
@alone
def main(workspace: Workspace) -> None:
    """Run every stage in order, in one process, without DVC.

    Every stage runs, whether or not its inputs changed: DVC is what skips those that did not.
    Device, workers and scheduler are taken from ATLAS_DEVICE, ATLAS_WORKERS and ATLAS_SCHEDULER.
    """
    for number, name in enumerate(ORDER, start=1):
        click.echo(f"Stage {number} of {len(ORDER)}: {name}", err=True)
        run_stage(name, workspace)


def run_stage(name: str, workspace: Workspace) -> None:
    """Run a stage in a workspace, in this process."""
    command: click.Command = import_module(f"stages.{name}").main
    command.main(["-w", str(workspace.root)], prog_name=f"atlas {name}", standalone_mode=False)
