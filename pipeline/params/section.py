"""The base of the sections of `params.yaml`: strict, with ranges of numbers."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Count = Annotated[int, Field(ge=1, le=1_000_000)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]


class Section(BaseModel):
    """A part of the file: frozen, exact types, no unknown key."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
