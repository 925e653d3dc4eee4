"""All figures, in the paper's order."""

from pipeline.atlas import Run
from pipeline.figures.architecture import Architecture
from pipeline.figures.correspondence_figure import Correspondence
from pipeline.figures.evolution import Evolution
from pipeline.figures.figure import Figure
from pipeline.figures.invariance import Invariance
from pipeline.figures.occlusion_figure import Occlusion

FIGURES: tuple[Figure, ...] = (
    Evolution(),
    Invariance(),
    Architecture(),
    Occlusion(),
    Correspondence(),
)


def wanted(run: Run) -> tuple[Figure, ...]:
    """The figures that `figures.make` names, in the paper's order."""
    return tuple(figure for figure in FIGURES if figure.name in run.params.figures.make)
