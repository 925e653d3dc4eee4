"""The style sheet that shows single pictures of sprites, written for one site's grids.

Inline styles are forbidden by the pages' own policy, so a place in a grid is a pair of classes.
"""

from collections.abc import Mapping

from atlas_site.sprites import CHANNEL_GRID, COVER_GRID, IMAGE_GRID, SPRITE_GRID, Grid


def placement_css(side: int, others: Mapping[str, Grid]) -> str:
    """Rules for blocks of `side` × `side` tiles, and for other grids by the kind of picture."""
    grids = {
        "thumb": Grid(2 * CHANNEL_GRID.columns, CHANNEL_GRID.rows),
        "half": SPRITE_GRID,
        "tile": Grid(2 * side, side),
        "cover": COVER_GRID,
        "image": IMAGE_GRID,
        **others,
    }
    most = max(max(grid.columns, grid.rows) for grid in grids.values())
    rules = [f":root{{--side:{side}}}"]
    rules += [
        f".region.{name}{{--columns:{grid.columns};--rows:{grid.rows}}}"
        for name, grid in grids.items()
    ]
    rules += [f".x{n}{{--x:{n}}}.y{n}{{--y:{n}}}" for n in range(most)]
    return "\n".join(rules) + "\n"
