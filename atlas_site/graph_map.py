"""The graph of a network as a drawing: a row per map size, a box per layer, blocks and joins."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from atlas_site.layers import LayerView
from pipeline.atlas import INPUT, Graph, Layer, layer_feeds, layer_kind

WIDTH = 1000.0
LEFT = 58.0
"""Room for the map sizes at the left."""
WIDEST_PITCH = 34.0
LANE = 15.0
BOX = 9.0
"""The height of a box; boxes are as wide at most."""
GAP = 30.0
"""Between rows, for names and wires."""
HIGHEST_ARC = 26.0
CHARACTER = 5.4
"""The width of a character of a name."""


@dataclass(frozen=True)
class Box:
    """A layer in the drawing."""

    name: str
    kind: str
    """`filters`, `sum` or `joined`."""
    x: float
    y: float
    """Its middle."""
    side: float
    title: str
    href: str
    """The layer's page; empty where the atlas does not show it."""
    label: str
    """Its name where there is room for it beside the box."""


@dataclass(frozen=True)
class Outline:
    """A block: layers between two cuts."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class SizeRow:
    """All layers of one map size."""

    size: str
    y: float


@dataclass(frozen=True)
class Diagram:
    """The drawing, in a picture of `WIDTH` × `height`."""

    height: float
    boxes: tuple[Box, ...]
    wires: tuple[str, ...]
    """SVG paths."""
    blocks: tuple[Outline, ...]
    rows: tuple[SizeRow, ...]
    shown: int
    """Layers of the atlas, out of all boxes."""


@dataclass(frozen=True)
class _Place:
    row: int
    column: int
    lane: int


def diagram(graph: Graph, layers: Sequence[LayerView]) -> Diagram | None:
    """Draw a network; None for one without a branch, which its list of layers shows as well."""
    feeds = layer_feeds(graph)
    if all(len(feeding) < 2 for feeding in feeds):
        return None
    blocks = _blocks(graph.layer_list)
    places = _placed(feeds, _rows(graph.layer_list, blocks))
    return _Drawing(graph, layers, feeds, blocks, places).drawn()


def _blocks(layers: Sequence[Layer]) -> list[list[int]]:
    """Runs of layers, each up to the next cut."""
    blocks: list[list[int]] = [[]]
    for number, layer in enumerate(layers):
        blocks[-1].append(number)
        if layer.cut:
            blocks.append([])
    return [block for block in blocks if block]


def _rows(layers: Sequence[Layer], blocks: Sequence[Sequence[int]]) -> list[int]:
    """The row of each layer: that of the map size with which its block ends."""
    sizes: dict[tuple[int, int], int] = {}
    rows = [0] * len(layers)
    for block in blocks:
        row = sizes.setdefault(layers[block[-1]].size, len(sizes))
        for number in block:
            rows[number] = row
    return rows


def _placed(feeds: Sequence[Sequence[int]], rows: Sequence[int]) -> list[_Place]:
    """Columns by the longest way to a layer within its row; lanes so that no two boxes meet."""
    places: list[_Place] = []
    taken: set[_Place] = set()
    for number, feeding in enumerate(feeds):
        row = rows[number]
        before = [places[other] for other in feeding if other != INPUT and rows[other] == row]
        column = max((place.column + 1 for place in before), default=0)
        lanes = [*sorted(place.lane for place in before), *range(len(feeds))]
        place = next(p for lane in lanes if (p := _Place(row, column, lane)) not in taken)
        taken.add(place)
        places.append(place)
    return places


class _Drawing:
    def __init__(
        self,
        graph: Graph,
        layers: Sequence[LayerView],
        feeds: Sequence[Sequence[int]],
        blocks: Sequence[Sequence[int]],
        places: Sequence[_Place],
    ) -> None:
        self._graph, self._feeds, self._blocks, self._places = graph, feeds, blocks, places
        self._shown: Mapping[str, LayerView] = {layer.name: layer for layer in layers}
        columns = 1 + max(place.column for place in places)
        self._pitch = min(WIDEST_PITCH, (WIDTH - LEFT) / (columns + 1))
        self._side = min(BOX, 0.7 * self._pitch)
        self._tops: list[float] = []
        height = 0.0
        for row in range(1 + max(place.row for place in places)):
            lanes = 1 + max(place.lane for place in places if place.row == row)
            height += GAP + (HIGHEST_ARC if self._arcs(row) else 0)
            self._tops.append(height)
            height += lanes * LANE
        self._height = height + GAP / 2

    def drawn(self) -> Diagram:
        wires = [
            self._wire(self._places[below], self._places[number])
            for number, feeding in enumerate(self._feeds)
            for below in feeding
            if below != INPUT
        ]
        return Diagram(
            height=self._height,
            boxes=tuple(self._boxes()),
            wires=tuple(wires),
            blocks=tuple(self._outlines()),
            rows=tuple(SizeRow(size, self._tops[row]) for row, size in self._sizes().items()),
            shown=len(self._shown),
        )

    def _at(self, place: _Place) -> tuple[float, float]:
        return LEFT + (place.column + 0.7) * self._pitch, self._tops[place.row] + place.lane * LANE

    def _boxes(self) -> list[Box]:
        boxes, free = [], [0.0] * len(self._tops)
        for layer, place in zip(self._graph.layer_list, self._places, strict=True):
            x, y = self._at(place)
            shown = self._shown.get(layer.name)
            half = CHARACTER * len(layer.name) / 2
            room = place.lane == 0 and x - half >= free[place.row]
            labelled = shown is not None and room
            if labelled:
                free[place.row] = x + half + CHARACTER
            rows, cols = layer.size
            boxes.append(
                Box(
                    name=layer.name,
                    kind=layer_kind(self._graph, layer),
                    x=x,
                    y=y,
                    side=self._side,
                    title=f"{layer.name}: {layer.channels} channels of {rows} × {cols} cells",
                    href=shown.href if shown else "",
                    label=layer.name if labelled else "",
                )
            )
        return boxes

    def _outlines(self) -> list[Outline]:
        outlines = []
        for block in self._blocks:
            if len(block) > 1:
                corners = [self._at(self._places[number]) for number in block]
                xs, ys = [x for x, _ in corners], [y for _, y in corners]
                margin = self._side * 0.7
                left, top = min(xs) - margin, min(ys) - margin
                outlines.append(Outline(left, top, max(xs) + margin - left, max(ys) + margin - top))
        return outlines

    def _sizes(self) -> dict[int, str]:
        """By row, the map size with which its blocks end."""
        sizes = {}
        for block in self._blocks:
            rows, cols = self._graph.layer_list[block[-1]].size
            sizes[self._places[block[0]].row] = f"{rows} × {cols}"
        return sizes

    def _arcs(self, row: int) -> bool:
        """Whether some wire of a row has to leap over boxes."""
        return any(
            self._leaps(self._places[below], place)
            for place, feeding in zip(self._places, self._feeds, strict=True)
            for below in feeding
            if place.row == row and below != INPUT
        )

    def _leaps(self, start: _Place, end: _Place) -> bool:
        """Whether a straight wire would run through a box between."""
        return start.row == end.row and any(
            place.row == start.row
            and place.lane == start.lane == end.lane
            and start.column < place.column < end.column
            for place in self._places
        )

    def _wire(self, start: _Place, end: _Place) -> str:
        (x0, y0), (x1, y1) = self._at(start), self._at(end)
        if start.row != end.row:
            turn, middle = self._pitch * 0.4, self._tops[end.row] - GAP * 0.7
            return f"M{x0:.1f} {y0:.1f}h{turn:.1f}V{middle:.1f}H{x1 - turn:.1f}V{y1:.1f}h{turn:.1f}"
        if self._leaps(start, end):
            above = y0 - min(HIGHEST_ARC, 6 + 2.5 * (end.column - start.column)) * 4 / 3
            return f"M{x0:.1f} {y0:.1f}C{x0:.1f} {above:.1f} {x1:.1f} {above:.1f} {x1:.1f} {y1:.1f}"
        middle = (
            min(x0 + self._pitch / 2, (x0 + x1) / 2)
            if y1 > y0
            else max(x1 - self._pitch / 2, (x0 + x1) / 2)
        )
        return f"M{x0:.1f} {y0:.1f}L{middle:.1f} {y0 if y1 <= y0 else y1:.1f}L{x1:.1f} {y1:.1f}"
