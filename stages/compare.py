"""`atlas compare RUN_A RUN_B --out DIR`: two runs side by side."""

from pathlib import Path

import click

from atlas_site.catalogue import channel_count
from atlas_site.comparison import compare
from pipeline.atlas import open_atlas
from pipeline.storage.publish import publish
from pipeline.workspace import Workspace
from stages.command import bar, stage

run_argument = click.Path(file_okay=False, path_type=Path)


@stage
@click.argument("run_a", type=run_argument)
@click.argument("run_b", type=run_argument)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("comparison"),
    show_default=True,
    help="The folder to write; open its index.html.",
)
def main(workspace: Workspace, run_a: Path, run_b: Path, out: Path) -> None:
    """Write pages that show two runs side by side, channel by channel.

    RUN_A and RUN_B are workspaces: folders with params.yaml and artifacts/. For two epochs of one
    network, scan each epoch's weights in a workspace of its own. Paths start at the workspace.
    """
    folders = [workspace.resolve(str(run)) for run in (run_a, run_b)]
    atlases = [open_atlas(Workspace(folder).artifacts) for folder in folders]
    target = workspace.resolve(str(out))
    total = sum(channel_count(atlas) for atlas in atlases)
    with publish(target) as partial, bar("compare", total, "channels") as advance:
        compare(
            (atlases[0], atlases[1]),
            _names(*folders),
            partial,
            advance=advance,
        )
    click.echo(f"Open {target / 'index.html'}")


def _names(a: Path, b: Path) -> tuple[str, str]:
    """Short names of the runs: of their folders, made distinct where those are the same."""
    first, second = a.resolve().name, b.resolve().name
    if first == second:
        return f"{first} (first)", f"{second} (second)"
    return first, second
