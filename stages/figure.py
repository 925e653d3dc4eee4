"""`atlas figure LAYER --out figure.png`: channels of a layer as Figure 2 of the paper."""

from pathlib import Path

import click

from atlas_site.figure import FORMATS, caption, chosen_channels, draw_figure, save_figure
from atlas_site.layers import gather_layer
from pipeline.atlas import open_atlas
from pipeline.errors import AtlasError
from pipeline.storage.publish import publish
from pipeline.workspace import Workspace
from stages.command import stage


@stage
@click.argument("layer")
@click.option(
    "--channels",
    default="",
    help="Numbers such as 3,17,42; by default the most selective that differ from each other.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("figure.png"),
    show_default=True,
    help="The file to write, .png or .pdf; its caption is written beside it as .txt.",
)
def main(workspace: Workspace, layer: str, channels: str, out: Path) -> None:
    """Draw projections beside crops for channels of LAYER, at 300 dpi and seven inches wide."""
    target = workspace.resolve(str(out))
    suffix = target.suffix.lower()
    if suffix not in FORMATS:
        raise AtlasError(
            f"A figure is not written as {target.name!r}.", fix="End the name in .png or .pdf."
        )
    run = open_atlas(workspace.artifacts)
    shown = gather_layer(run, layer)
    chosen = chosen_channels(shown, _numbers(channels))
    if not chosen:
        raise AtlasError(f"Every channel of {layer} is dead.", fix="Choose another layer.")
    with publish(target) as partial:
        save_figure(draw_figure(run, shown, chosen), partial, suffix)
    words = target.with_suffix(".txt")
    with publish(words) as partial:
        partial.write_text(
            caption(run, shown, chosen, workspace.root.resolve().name), encoding="utf-8"
        )
    click.echo(f"Wrote {target} and its caption {words}")


def _numbers(text: str) -> list[int]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if wrong := [part for part in parts if not (part.isascii() and part.isdecimal())]:
        raise AtlasError(
            f"{wrong[0]!r} is not a channel number.", fix="Give numbers such as --channels 3,17,42."
        )
    return [int(part) for part in parts]
