"""Curves and bars as the coordinates of inline SVG; the templates draw them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SPARK_BINS = 24
SPARK_HEIGHT = 20


def spark_path(histogram: Sequence[int]) -> str:
    """The outline of a histogram with a logarithmic count axis, in a box of 24 × 20.

    Empty for a channel that never fired.
    """
    counts = rebinned(histogram, SPARK_BINS)
    most = max(counts)
    if most == 0:
        return ""
    heights = [SPARK_HEIGHT * math.log1p(c) / math.log1p(most) for c in counts]
    steps = "".join(f"V{SPARK_HEIGHT - h:.3g}h1" for h in heights)
    return f"M0 {SPARK_HEIGHT}{steps}V{SPARK_HEIGHT}z"


def rebinned(histogram: Sequence[int], bins: int) -> list[int]:
    """Equal neighbouring bins added up, so that at most `bins` remain.

    The last bin takes fewer where the number does not divide.
    """
    step = math.ceil(len(histogram) / bins)
    return [sum(histogram[i : i + step]) for i in range(0, len(histogram), step)]


@dataclass(frozen=True)
class Series:
    """A named curve in the coordinates of its chart."""

    name: str
    points: str
    """For an SVG polyline."""
    last: tuple[float, float]
    """The position of its label."""


@dataclass(frozen=True)
class Tick:
    """A labelled line across a chart."""

    at: float
    text: str


@dataclass(frozen=True)
class Chart:
    """Curves over the epochs."""

    title: str
    series: tuple[Series, ...]
    y_ticks: tuple[Tick, ...]
    x_ticks: tuple[Tick, ...]
    rows: tuple[tuple[str, ...], ...]
    """The same as text: epoch, then the value of each curve; empty where a curve has none."""
    width: int = 420
    height: int = 200


def curves(
    title: str, history: Sequence[Mapping[str, float | int | None]], columns: dict[str, str]
) -> Chart | None:
    """A chart of columns of the history, by the name that each curve gets.

    The y axis starts at 0. None where fewer than two epochs have any of the columns.
    """
    found = {
        name: [
            (float(row["epoch"] or 0), float(value))
            for row in history
            if (value := row.get(column)) is not None
        ]
        for column, name in columns.items()
    }
    found = {name: points for name, points in found.items() if len(points) > 1}
    if not found:
        return None
    every = [point for points in found.values() for point in points]
    first, last = min(x for x, _ in every), max(x for x, _ in every)
    top = max(y for _, y in every) or 1.0
    width, height = 420, 200

    def place(x: float, y: float) -> tuple[float, float]:
        return round(width * (x - first) / (last - first), 1), round(height * (1 - y / top), 1)

    series = tuple(
        Series(
            name, " ".join(f"{x},{y}" for x, y in (place(*p) for p in points)), place(*points[-1])
        )
        for name, points in found.items()
    )
    y_ticks = tuple(Tick(round(height * (1 - v / top), 1), f"{v:g}") for v in _round_values(top))
    x_ticks = tuple(
        Tick(round(width * (v - first) / (last - first), 1), f"{v:g}") for v in (first, last)
    )
    return Chart(title, _apart(series), y_ticks, x_ticks, _rows(found), width, height)


def _rows(found: dict[str, list[tuple[float, float]]]) -> tuple[tuple[str, ...], ...]:
    """A row per epoch that any curve has."""
    values = [dict(points) for points in found.values()]
    epochs = sorted({epoch for curve in values for epoch in curve})
    return tuple(
        (f"{epoch:g}", *(f"{curve[epoch]:.4g}" if epoch in curve else "" for curve in values))
        for epoch in epochs
    )


def _apart(series: tuple[Series, ...], gap: float = 15.0) -> tuple[Series, ...]:
    """Curves whose labels do not overlap: each at least `gap` below the one above it."""
    placed: dict[str, float] = {}
    floor = -gap
    for one in sorted(series, key=lambda s: s.last[1]):
        floor = max(one.last[1], floor + gap)
        placed[one.name] = floor
    return tuple(Series(s.name, s.points, (s.last[0], placed[s.name])) for s in series)


def _round_values(top: float) -> list[float]:
    """About four round values from 0 up to `top`."""
    step = 10 ** math.floor(math.log10(top))
    step *= next(f for f in (0.2, 0.5, 1, 2) if top / (step * f) <= 5)
    return [float(f"{i * step:.6g}") for i in range(int(top / step + 1e-9) + 1)]
