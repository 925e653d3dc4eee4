"""The style sheet that cuts pictures out of sheets, written for one site's grids.

Inline styles are forbidden by the pages' own policy, so a place in a grid is a pair of classes.
"""

from atlas_site.sheets import CHANNEL_GRID, COVER_GRID, FILTER_COLUMNS, IMAGE_GRID


def placement_css(side: int, filters: int) -> str:
    """Rules for blocks of `side` × `side` tiles and for a sheet of `filters` filters."""
    filter_rows = -(-filters // FILTER_COLUMNS)
    grids = {
        "thumb": (2 * CHANNEL_GRID.columns, CHANNEL_GRID.rows),
        "half": (2, 1),
        "tile": (2 * side, side),
        "cover": (COVER_GRID.columns, COVER_GRID.rows),
        "image": (IMAGE_GRID.columns, IMAGE_GRID.rows),
        "filter": (FILTER_COLUMNS, filter_rows),
    }
    most = max(max(grid) for grid in grids.values())
    rules = [f":root{{--side:{side}}}"]
    rules += [f".cut.{name}{{--columns:{c};--rows:{r}}}" for name, (c, r) in grids.items()]
    rules += [f".x{n}{{--x:{n}}}.y{n}{{--y:{n}}}" for n in range(most)]
    return "\n".join(rules) + "\n"
