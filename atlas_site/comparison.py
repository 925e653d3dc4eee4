"""Two runs side by side, channel by channel: two networks, or two epochs of one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from atlas_site.catalogue import Catalogue, gather
from atlas_site.channels import Channel
from atlas_site.index_page import model_facts
from atlas_site.layers import LayerView
from atlas_site.painting import paint
from atlas_site.picture_jobs import ChannelsJob, jobs_of
from atlas_site.placement import placement_css
from atlas_site.templating import copy_assets, environment, render_page
from pipeline.atlas import Run
from pipeline.errors import AtlasError
from pipeline.progress import Advance, no_progress


@dataclass(frozen=True)
class Side:
    """One of the two runs."""

    key: str
    """`a` or `b`: its folder of pictures."""
    name: str
    catalogue: Catalogue

    def layer(self, name: str) -> LayerView:
        """A layer by name."""
        return next(layer for layer in self.catalogue.layers if layer.name == name)

    def channel(self, layer: str, number: int) -> Channel | None:
        """A channel with its pictures in this run's folder; None beyond the last."""
        channels = self.layer(layer).channels
        if number >= len(channels):
            return None
        found = channels[number]
        return replace(
            found,
            projections=replace(found.projections, src=f"{self.key}/{found.projections.src}"),
            crops=replace(found.crops, src=f"{self.key}/{found.crops.src}"),
        )

    def images(self, layer: str, number: int) -> set[str]:
        """Hashes of the images among a channel's strongest."""
        record = self.catalogue.atlas.scan(layer)
        if number >= len(record.image):
            return set()
        rows = [row for row in record.image[number].tolist() if row >= 0]
        return {self.catalogue.atlas.images[row].sha256 for row in rows}


@dataclass(frozen=True)
class Match:
    """A channel number in both runs."""

    number: int
    channels: tuple[Channel | None, Channel | None]
    shared: int
    """Images among the strongest of both, compared by content."""


@dataclass(frozen=True)
class LayerMatch:
    """A layer that both runs hold."""

    name: str
    layers: tuple[LayerView, LayerView]
    matches: tuple[Match, ...]

    @property
    def href(self) -> str:
        """Its page."""
        return f"{self.name}.html"

    @property
    def mean_shared(self) -> float:
        """Images shared by a channel and its namesake, on average."""
        return sum(match.shared for match in self.matches) / len(self.matches)


def compare(
    runs: tuple[Run, Run],
    names: tuple[str, str],
    out: Path,
    *,
    workers: int | None = None,
    advance: Advance = no_progress,
) -> list[LayerMatch]:
    """Write the pages that show two runs side by side into the folder `out`.

    `advance` counts channels. Raises AtlasError where the runs share no layer or keep different
    numbers of images per channel.
    """
    a, b = (
        Side(key, name, gather(atlas)) for key, name, atlas in zip("ab", names, runs, strict=True)
    )
    layers = _matches(a, b)
    out.mkdir(parents=True)
    copy_assets(out)
    css = placement_css(a.catalogue.side, {})
    (out / "assets" / "placement.css").write_text(css, encoding="utf-8")
    for path, text in _pages(a, b, layers):
        (out / path).write_text(text, encoding="utf-8")
    shared = {layer.name for layer in layers}
    for side in (a, b):
        jobs = [
            job
            for job in jobs_of(side.catalogue)
            if isinstance(job, ChannelsJob) and job.layer in shared
        ]
        paint(jobs, side.catalogue.atlas.artifacts, out / side.key, workers, advance)
    return layers


def _matches(a: Side, b: Side) -> list[LayerMatch]:
    held = {layer.name for layer in b.catalogue.layers}
    names = [layer.name for layer in a.catalogue.layers if layer.name in held]
    if not names:
        raise AtlasError(
            f"{a.name} and {b.name} have no layer in common.",
            fix="Scan the same layers in both (scan.layers in params.yaml).",
        )
    if a.catalogue.top != b.catalogue.top:
        raise AtlasError(
            f"{a.name} keeps {a.catalogue.top} images per channel, {b.name} {b.catalogue.top}.",
            fix="Give both runs the same scan.top.",
        )
    return [_layer_match(a, b, name) for name in names]


def _layer_match(a: Side, b: Side, name: str) -> LayerMatch:
    layers = a.layer(name), b.layer(name)
    matches = tuple(
        Match(
            number,
            (a.channel(name, number), b.channel(name, number)),
            len(a.images(name, number) & b.images(name, number)),
        )
        for number in range(max(len(layer.channels) for layer in layers))
    )
    return LayerMatch(name, layers, matches)


def _pages(a: Side, b: Side, layers: list[LayerMatch]) -> Iterator[tuple[str, str]]:
    env = environment()
    shared: Mapping[str, object] = {"sides": (a, b), "layers": layers}
    front = {**shared, "facts": [model_facts(side.catalogue) for side in (a, b)]}
    yield "index.html", render_page(env, "comparison.html", front)
    for layer in layers:
        yield (
            layer.href,
            render_page(env, "comparison_layer.html", {**shared, "layer": layer}),
        )
