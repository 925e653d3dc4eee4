"""`atlas render`: write the atlas as plain files."""

import click

from atlas_site.catalogue import channel_count
from atlas_site.generator import render
from pipeline.atlas import open_atlas
from pipeline.storage.publish import publish
from pipeline.workspace import Workspace
from stages.command import alone, bar, stage


@stage
@alone
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    envvar="ATLAS_RENDER_WORKERS",
    help="Processes that paint pictures; by default one per core.",
    show_envvar=True,
)
def main(workspace: Workspace, workers: int | None) -> None:
    """Write the atlas as plain files; open site/index.html, no server needed.

    It reads what the other stages wrote. Curves, error rates, predictions and the verify figure
    appear if those stages have run.
    """
    atlas = open_atlas(workspace.artifacts)
    with (
        publish(workspace.site) as out,
        bar("render", channel_count(atlas), "channels") as advance,
    ):
        render(atlas, out, workers=workers, advance=advance)
    click.echo(f"Open {workspace.site / 'index.html'}")
