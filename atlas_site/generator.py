"""From a run to a folder of plain files: gather, write the pages, paint the pictures."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from atlas_site import index_page, training_facts, verification
from atlas_site.catalogue import Catalogue, gather
from atlas_site.channel_data import channel_data
from atlas_site.channels import Channel
from atlas_site.class_page import class_cards, matrix
from atlas_site.connections import connected, expanded
from atlas_site.data import (
    class_data,
    image_data,
    layer_data,
    search_data,
    site_data,
    weight_data,
)
from atlas_site.example_data import example_data
from atlas_site.figure_pages.registry import index_cards, made_pages
from atlas_site.graph_map import WIDTH as GRAPH_WIDTH
from atlas_site.graph_map import diagram
from atlas_site.layer_groups import layer_groups
from atlas_site.layer_page import layer_context
from atlas_site.layers import LayerView
from atlas_site.map_data import map_data
from atlas_site.network_map import HEIGHT, WIDTH, field_boxes, slabs
from atlas_site.painting import paint
from atlas_site.picture_jobs import jobs_of
from atlas_site.placement import placement_css
from atlas_site.script import data_script
from atlas_site.sprites import (
    COVER_GRID,
    SPRITE_GRID,
    Grid,
    SpriteRegion,
    control_grid,
    cover_path,
    example_grid,
    filter_grid,
)
from atlas_site.striking import handfuls
from atlas_site.templating import copy_assets, environment, render_page
from pipeline.atlas import Run
from pipeline.progress import Advance, no_progress


@dataclass(frozen=True)
class Page:
    """A page before it is written."""

    path: str
    template: str
    context: Mapping[str, object]


def render(
    atlas: Run, out: Path, *, workers: int | None = None, advance: Advance = no_progress
) -> Catalogue:
    """Write the site of a run into the folder `out`, which must not exist.

    Pictures are painted by one process per core, or by `workers`; `advance` counts channels.
    Equal inputs give equal bytes. Raises AtlasError where a store is missing or of another run.
    """
    catalogue = gather(atlas)
    out.mkdir(parents=True)
    copy_assets(out)
    placement = placement_css(catalogue.side, _grids(catalogue))
    (out / "assets" / "placement.css").write_text(placement, encoding="utf-8")
    for folder in ("channels", "weights", "examples"):
        (out / "data" / folder).mkdir(parents=True)
    for name, value in _data(catalogue):
        (out / "data" / f"{name}.js").write_text(data_script(name, value), encoding="ascii")
    env = environment()
    for page in _pages(catalogue):
        text = render_page(env, page.template, page.context)
        (out / page.path).write_text(text, encoding="utf-8")
    paint(jobs_of(catalogue), atlas.artifacts, out, workers, advance)
    return catalogue


def _data(catalogue: Catalogue) -> Iterator[tuple[str, Mapping[str, object]]]:
    yield "site", site_data(catalogue)
    yield "images", image_data(catalogue)
    yield "classes", class_data(catalogue)
    yield "search", search_data(catalogue)
    yield "map", map_data(catalogue)
    for page in made_pages(catalogue.atlas):
        if read := page.data(catalogue.atlas, catalogue.atlas.figures[page.name]):
            yield f"figure-{page.name}", read
    weights = connected(catalogue.atlas)
    further = expanded(weights)
    for layer in catalogue.layers:
        yield layer.key, layer_data(catalogue, layer)
        yield from channel_data(catalogue, layer, weights)
        yield f"weights/{layer.key}", weight_data(catalogue, layer, weights, further)
        if layer.bands:
            yield f"examples/{layer.key}", example_data(catalogue, layer)


def _pages(catalogue: Catalogue) -> list[Page]:
    shared = {
        "catalogue": catalogue,
        "layers": catalogue.layers,
        "given_name": lambda channel: _given_name(catalogue, channel),
        "figure_cards": index_cards(catalogue.atlas),
    }
    return [
        Page("index.html", "index.html", {**shared, **_front(catalogue)}),
        *(
            Page(layer.href, "layer.html", {**shared, **layer_context(catalogue, place)})
            for place, layer in enumerate(catalogue.layers)
        ),
        Page("images.html", "images.html", shared),
        Page(
            "channels.html", "channels.html", {**shared, "by_favourite": _by_favourite(catalogue)}
        ),
        Page(
            "classes.html",
            "classes.html",
            {**shared, "cards": class_cards(catalogue), "matrix": matrix(catalogue)},
        ),
        *_figure_pages(catalogue, shared),
    ]


def _figure_pages(catalogue: Catalogue, shared: Mapping[str, object]) -> Iterator[Page]:
    """The page of each of the paper's other figures, and the list of them; none without any."""
    if not catalogue.atlas.figures:
        return
    yield Page("figures.html", "figures.html", shared)
    for page in made_pages(catalogue.atlas):
        figure = catalogue.atlas.figures[page.name]
        context = {**shared, "figure": page, **page.context(catalogue, figure)}
        yield Page(page.href, f"figures/{page.name}.html", context)


def _front(catalogue: Catalogue) -> Mapping[str, object]:
    start_facts = training_facts.start_facts(catalogue)
    return {
        "graph": diagram(catalogue.atlas.graph, catalogue.layers),
        "graph_width": GRAPH_WIDTH,
        "groups": layer_groups(catalogue.layers),
        "slabs": slabs(catalogue.layers),
        "slab_width": WIDTH,
        "slab_height": HEIGHT,
        "covers": {layer.name: _cover(layer) for layer in catalogue.layers},
        "fields": field_boxes(catalogue.layers, catalogue.input_px),
        "example": catalogue.images[len(catalogue.images) // 2] if catalogue.images else None,
        "summary": index_page.summary(catalogue),
        "error_rates": index_page.error_rate_facts(catalogue),
        "model_facts": index_page.model_facts(catalogue),
        "data_facts": index_page.data_facts(catalogue),
        "provenance": index_page.provenance(catalogue),
        "parameters": index_page.parameters(catalogue),
        "charts": training_facts.charts(catalogue),
        "verified": verification.verified(catalogue),
        "handfuls": _handfuls(catalogue),
        "start_facts": start_facts,
        "start_groups": layer_groups([fact.layer for fact in start_facts.values()]),
        "recipe": training_facts.recipe(catalogue),
        "low_frequency": training_facts.low_frequency(catalogue),
        "methods_used": index_page.methods_used(catalogue),
        "has_local_response_norm": index_page.has_local_response_norm(catalogue.atlas.graph),
    }


def _by_favourite(catalogue: Catalogue) -> list[tuple[str, list[Channel]]]:
    """Channels by their most frequent class, in the order of the classes; the deepest first."""
    found: dict[str, list[Channel]] = {name: [] for name in catalogue.classes}
    for layer in catalogue.layers[::-1]:
        for channel in layer.channels:
            if channel.favourite:
                found[channel.favourite].append(channel)
    return [(name, channels) for name, channels in found.items() if channels]


def _given_name(catalogue: Catalogue, channel: Channel) -> str:
    """The name of a channel in names.csv; empty where it has none."""
    given = catalogue.names.get((channel.layer, channel.number))
    return given.name if given else ""


def _handfuls(
    catalogue: Catalogue,
) -> list[list[tuple[Channel, SpriteRegion, SpriteRegion]]]:
    """Handfuls of striking channels, each with its large blocks of projections and of crops."""
    tiles = {layer.key: layer.tile for layer in catalogue.layers}

    def card(channel: Channel) -> tuple[Channel, SpriteRegion, SpriteRegion]:
        px = catalogue.side * tiles[channel.key].sprite
        blocks = [SPRITE_GRID.region(channel.sprite, place, px) for place in range(2)]
        return channel, blocks[0], blocks[1]

    return [[card(channel) for channel in handful] for handful in handfuls(catalogue.layers)]


def _cover(layer: LayerView) -> list[tuple[int, SpriteRegion]]:
    """The numbers of a layer's most selective channels, each with its projection."""
    src, px = cover_path(layer.key), layer.tile.sprite
    return [(n, COVER_GRID.region(src, place, px)) for place, n in enumerate(layer.covers)]


def _grids(catalogue: Catalogue) -> Mapping[str, Grid]:
    """The grids of this site's filters, controls, examples and figures, by kind of picture."""
    layers, atlas = catalogue.layers, catalogue.atlas
    filters = [len(one.channels) for one in layers if catalogue.has_filters(one)]
    ranks = [one.projected.control_ranks for one in layers]
    grids = {
        "filter": filter_grid(max(filters, default=1)),
        "control": control_grid(max([1, *ranks])),
        "example": example_grid(max([1, *(len(one.bands) for one in layers)])),
    }
    for page in made_pages(atlas):
        grids |= page.grids(atlas.figures[page.name])
    return grids
