"""`atlas preset NAME`: write params.yaml from a preset and say what changed."""

from pathlib import Path

import click

from pipeline.params import load_params
from pipeline.workspace import Workspace
from stages.command import stage
from stages.params_file import write_params

PRESETS = Path(__file__).resolve().parents[1] / "presets"


def names() -> list[str]:
    """The presets there are."""
    return sorted(path.stem for path in PRESETS.glob("*.yaml"))


@stage
@click.argument("name", type=click.Choice(names()))
def main(workspace: Workspace, name: str) -> None:
    """Write params.yaml from the preset NAME and say what changed, key by key.

    Overwritten values are printed.
    """
    source = PRESETS / f"{name}.yaml"
    load_params(source)
    write_params(workspace.params, source.read_text(encoding="utf-8"), f"the preset {name}")
