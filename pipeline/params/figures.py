"""The section `figures` of `params.yaml`: which of the paper's other figures are made, and how."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline.params.section import Count, Section

FigureName = Literal["evolution", "invariance", "architecture", "occlusion", "correspondence"]
"""Figures that the stage can make; each is a module of `pipeline/figures/`."""
Grey = Annotated[int, Field(ge=0, le=255)]
Row = Annotated[int, Field(ge=0)]


class EvolutionParams(Section):
    """Figure 4: what excites a channel most, and its projection, after each epoch kept."""

    channels: Annotated[int, Field(ge=1, le=64)]
    """Of each scanned layer, drawn by the seed."""
    images: Count | None
    """Training images that each snapshot sees, drawn by the seed; null: all."""


class InvarianceParams(Section):
    """Figure 5: how features change when the image is moved, enlarged or turned."""

    translation_px: Count
    """Vertical shifts go from minus to plus so many pixels of the network input."""
    largest_scale: Annotated[float, Field(gt=1, le=100)]
    """Enlargements go from 1 to this factor. Rotations go all the way round."""
    steps: Annotated[int, Field(ge=1, le=100)]
    """From the untransformed image to the end of a range; a turn has twice as many."""


class ArchitectureParams(Section):
    """Figure 6: the first two layers of this network beside those of others."""

    rivals: tuple[str, ...]
    """Workspaces of other runs, finished as far as the scan; relative ones start at this one."""


class OcclusionParams(Section):
    """Figure 7: what happens when a square hides a part of the image."""

    side: Count
    """Of the square, in pixels of the network input."""
    stride: Count
    """Pixels from one place of the square to the next."""
    value: Grey
    """The grey of the square."""


class CorrespondenceParams(Section):
    """Table 1: whether hiding the same part changes the features of several images alike."""

    parts: str | None
    """A CSV of (path, part, row, col): where parts are, in pixels of the image files; relative to
    params.yaml. null: parts.csv beside the images, which the demo draws with them."""
    images: Annotated[int, Field(ge=2, le=1000)]
    """In which a part is hidden; the paper has 5."""
    side: Count
    """Of the square that hides it, in pixels of the network input."""
    value: Grey
    """Its grey."""
    draws: Count
    """How often random places are drawn to compare with."""


class FiguresParams(Section):
    """The paper's figures besides Figure 2."""

    make: tuple[FigureName, ...]
    """Which are made; one that is left out has no page."""
    images: Annotated[int, Field(ge=1, le=100)] | Annotated[tuple[Row, ...], Field(min_length=1)]
    """Of the figures that look at single images: how many, drawn by the seed, each of another
    class; or a list of validation image rows."""
    evolution: EvolutionParams
    invariance: InvarianceParams
    architecture: ArchitectureParams
    occlusion: OcclusionParams
    correspondence: CorrespondenceParams

    @model_validator(mode="after")
    def _made_once(self) -> "FiguresParams":
        if len(set(self.make)) < len(self.make):
            raise ValueError("make names a figure twice")
        return self
