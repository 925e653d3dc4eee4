"""`atlas pack`: one zip of the rendered atlas."""

from pathlib import Path

import click

from atlas_site.packing import checked_url, pack
from pipeline.storage.publish import publish
from pipeline.workspace import Workspace
from stages.command import stage


@stage
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("atlas.zip"),
    show_default=True,
    help="The file to write.",
)
@click.option("--url", help="Where it will be hosted, so that links to it show a picture.")
def main(workspace: Workspace, out: Path, url: str | None) -> None:
    """Pack site/ into one zip that opens after unpacking; docs/share.md says how to host it."""
    address = checked_url(url) if url else None
    target = workspace.resolve(str(out))
    with publish(target) as partial:
        files = pack(workspace.site, partial, target.stem, address)
    click.echo(f"Packed {files:,} files into {target}")
