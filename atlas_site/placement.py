"""The style sheet that shows single pictures of sprites, written for one site's grids.

Inline styles are forbidden by the pages' own policy, so a place in a grid is a pair of classes.
"""

from collections.abc import Mapping

from atlas_site.sprites import CHANNEL_GRID, COVER_GRID, IMAGE_GRID, Grid, filter_grid


def placement_css(side: int, filters: int, controls: int, figures: Mapping[str, Grid]) -> str:
    """Rules for blocks of `side` × `side` tiles, sheets of `filters` filters, `controls` ranks,
    and the grids of the figures' pages by the kind of their pictures."""
    filter_sheet = filter_grid(filters)
    grids = {
        "thumb": (2 * CHANNEL_GRID.columns, CHANNEL_GRID.rows),
        "half": (2, 1),
        "tile": (2 * side, side),
        "cover": (COVER_GRID.columns, COVER_GRID.rows),
        "image": (IMAGE_GRID.columns, IMAGE_GRID.rows),
        "control": (CHANNEL_GRID.columns * controls, CHANNEL_GRID.rows),
        "filter": (filter_sheet.columns, filter_sheet.rows),
        **{kind: (grid.columns, grid.rows) for kind, grid in figures.items()},
    }
    most = max(max(grid) for grid in grids.values())
    rules = [f":root{{--side:{side}}}"]
    rules += [f".region.{name}{{--columns:{c};--rows:{r}}}" for name, (c, r) in grids.items()]
    rules += [f".x{n}{{--x:{n}}}.y{n}{{--y:{n}}}" for n in range(most)]
    return "\n".join(rules) + "\n"
