"""All pages of figures, in the paper's order."""

from dataclasses import dataclass
from pathlib import Path

from atlas_site.figure_pages.architecture import ArchitecturePage
from atlas_site.figure_pages.correspondence import CorrespondencePage
from atlas_site.figure_pages.evolution import EvolutionPage
from atlas_site.figure_pages.invariance import InvariancePage
from atlas_site.figure_pages.occlusion import OcclusionPage
from atlas_site.figure_pages.page import FigurePage
from pipeline.atlas import FigureData, Run

FIGURE_PAGES: dict[str, FigurePage] = {
    page.name: page
    for page in (
        EvolutionPage(),
        InvariancePage(),
        ArchitecturePage(),
        OcclusionPage(),
        CorrespondencePage(),
    )
}


@dataclass(frozen=True)
class FigureCard:
    """A figure on the page that lists them."""

    number: str
    title: str
    lead: str
    href: str
    """Empty where there is no page."""
    cover: str
    """The address of a picture; empty where there is no page."""
    missing: str
    """The sentence that says why it could not be made; empty where it was."""


def made_pages(atlas: Run) -> tuple[FigurePage, ...]:
    """The pages of the figures that this run has."""
    figures = atlas.figures
    return tuple(
        page for name, page in FIGURE_PAGES.items() if name in figures and not figures[name].missing
    )


def index_cards(atlas: Run) -> tuple[FigureCard, ...]:
    """The figures that were asked for, made or not, in the paper's order."""
    figures = atlas.figures
    return tuple(
        _card(page, figures[name]) for name, page in FIGURE_PAGES.items() if name in figures
    )


def _card(page: FigurePage, figure: FigureData) -> FigureCard:
    if figure.missing:
        return FigureCard(page.number, page.title, page.lead, "", "", figure.missing)
    cover = f"figures/{page.name}/{page.cover(figure)}"
    return FigureCard(page.number, page.title, page.lead, page.href, cover, "")


@dataclass(frozen=True)
class FigureJob:
    """The pictures of the page of one of the paper's other figures."""

    name: str

    def paint(self, atlas: Run, out: Path) -> int:
        """Write the files; they count for no channel."""
        (out / "figures" / self.name).mkdir(parents=True)
        for name, content in FIGURE_PAGES[self.name].pictures(atlas, atlas.figures[self.name]):
            (out / "figures" / self.name / name).write_bytes(content)
        return 0
