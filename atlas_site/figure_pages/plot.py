"""Curves over any axis as the coordinates of inline SVG, with the table of their values."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from atlas_site.charts import Tick

WIDTH, HEIGHT = 360, 190
STYLES = 6
"""Curves that differ in colour and dashes; more start over."""


@dataclass(frozen=True)
class PlotCurve:
    """A curve of a plot."""

    name: str
    style: int
    points: str
    """For an SVG polyline."""


@dataclass(frozen=True)
class LevelLine:
    """A labelled horizontal line that curves are compared with."""

    at: float
    text: str


@dataclass(frozen=True)
class PlotTable:
    """The numbers of a plot: a row for each place on its axis."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Plot:
    """Some curves over one axis."""

    title: str
    curves: tuple[PlotCurve, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    rules: tuple[LevelLine, ...]
    table: PlotTable
    width: int = WIDTH
    height: int = HEIGHT


def plot(
    title: str,
    x: Sequence[float],
    unit: str,
    curves: dict[str, Sequence[float]],
    rule: tuple[str, float | None] = ("", None),
    top: float | None = None,
) -> Plot:
    """A plot whose vertical axis begins at 0 and ends at `top`, or above the largest value."""
    values = [value for curve in curves.values() for value in curve if math.isfinite(value)]
    text, level = rule
    highest = top or max([*values, level or 0.0]) * 1.05 or 1.0
    first, last = min(x), max(x)

    def across(at: float) -> float:
        return round(WIDTH * (at - first) / ((last - first) or 1.0), 1)

    def down(value: float) -> float:
        return round(HEIGHT * (1 - value / highest), 1)

    return Plot(
        title=title,
        curves=tuple(
            PlotCurve(
                name,
                place % STYLES,
                _points([(across(a), down(v)) for a, v in zip(x, curve, strict=True)]),
            )
            for place, (name, curve) in enumerate(curves.items())
        ),
        x_ticks=tuple(Tick(across(v), f"{v:g}") for v in _ticks(first, last)),
        y_ticks=tuple(Tick(down(v), f"{v:g}") for v in _ticks(0.0, highest)),
        rules=() if level is None else (LevelLine(down(level), text),),
        table=PlotTable(
            (unit, *curves),
            tuple(
                (f"{at:g}", *(f"{curve[place]:.3f}" for curve in curves.values()))
                for place, at in enumerate(x)
            ),
        ),
    )


def _points(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x},{y}" for x, y in places if math.isfinite(y))


def _ticks(first: float, last: float) -> list[float]:
    """About four round values from `first` to `last`."""
    span = last - first
    if span <= 0:
        return [first]
    step = 10 ** math.floor(math.log10(span))
    step *= next(f for f in (0.1, 0.2, 0.25, 0.5, 1, 2, 5) if span / (step * f) <= 5)
    start = math.ceil(first / step - 1e-9)
    return [float(f"{n * step:.6g}") for n in range(start, math.floor(last / step + 1e-9) + 1)]
