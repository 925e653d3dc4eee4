"""The page of a figure: its words, its data, its pictures."""

from collections.abc import Iterator, Mapping
from typing import Protocol, runtime_checkable

from atlas_site.catalogue import Catalogue
from atlas_site.sprites import Grid
from pipeline.atlas import FigureData, Run


@runtime_checkable
class FigurePage(Protocol):
    """A figure's page: one module, one template `figures/NAME.html`, one line in `registry.py`."""

    name: str
    """The figure's."""
    number: str
    """In the paper, say `Figure 5`."""
    title: str
    lead: str
    """One sentence: what it shows."""

    @property
    def href(self) -> str:
        """Its address in the site."""
        return f"figure-{self.name}.html"

    def context(self, catalogue: Catalogue, figure: FigureData) -> Mapping[str, object]:
        """What its template needs beside `figure`, the page itself."""
        ...

    def data(self, atlas: Run, figure: FigureData) -> Mapping[str, object]:
        """What its script reads, under the name `figure-NAME`; empty where it has none."""
        return {}

    def grids(self, figure: FigureData) -> Mapping[str, Grid]:
        """The grids of its sheets, by the kind of picture that its template names."""
        ...

    def cover(self, figure: FigureData) -> str:
        """The file of `pictures` whose upper left part the list of figures shows."""
        ...

    def pictures(self, atlas: Run, figure: FigureData) -> Iterator[tuple[str, bytes]]:
        """The files of `figures/NAME/`: a name and its content each."""
        ...
