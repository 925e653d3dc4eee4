"""The section `model` of `params.yaml`: a network of our own, or one from elsewhere."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline.params.section import Count, Positive, Section

Interpolation = Literal["bilinear", "bicubic", "nearest", "lanczos"]
"""Interpolations of a resized image."""


class ModelParams(Section):
    """A network of our own."""

    arch: Literal["zfnet", "alexnet", "alexnet-torchvision"]
    """The paper's two, or torchvision's AlexNet, for which data.crop is 223."""
    width: Annotated[float, Field(gt=0, le=100)]
    """Every hidden layer's channels are multiplied by it; 1 is the paper's network."""
    conv_channels: dict[str, Count]
    """Channels that differ from the paper's, by layer.

    The larger variant has conv3, 4, 5 = 512, 1024, 512.
    """
    fc_features: Count
    """Features of fc6 and fc7 at width 1; the paper's 4096, in Table 3 also 2048 and 8192."""
    without: tuple[Literal["conv3", "conv4", "fc6", "fc7"], ...]
    """Layers left out, as in Table 3."""


class InputParams(Section):
    """The preprocessing of an adopted network's input."""

    mean: Annotated[tuple[float, ...], Field(min_length=1, max_length=3)]
    """Subtracted, by colour, from pixels of 0 to 1; one number: the network sees grey."""
    std: Annotated[tuple[Positive, ...], Field(min_length=1, max_length=3)]
    """What the difference is divided by, by colour."""
    interpolation: Interpolation
    """How images are resized, always over all pixels that a smaller one stands for."""

    @model_validator(mode="after")
    def _colours(self) -> "InputParams":
        if len(self.mean) != len(self.std) or len(self.mean) == 2:
            raise ValueError("mean and std must both be one number, or three")
        return self


class AdoptedParams(Section):
    """A network from elsewhere, taken as it is; `atlas adopt` writes this section."""

    arch: Annotated[str, Field(pattern=r"^[\w.]+:[\w.]+$")]
    """torchvision:NAME, timm:NAME or package.module:function."""
    arguments: dict[str, str | int | float | bool | None]
    """What the function is called with, by keyword."""
    weights: str | None
    """A name of torchvision's, such as IMAGENET1K_V2, or a weights file.

    null: those that the function leaves in the module.
    """
    weights_sha256: str | None
    """Of the file, so that another one under its name is noticed."""
    inputs: InputParams


MODEL_FORMS: dict[str, type[Section]] = {"own": ModelParams, "adopted": AdoptedParams}
"""The two forms of the section `model`."""


def form_of_model(section: object) -> str:
    """The form of the section `model`: the arch of an adopted network has a colon."""
    arch = section.get("arch") if isinstance(section, dict) else getattr(section, "arch", None)
    return "adopted" if isinstance(arch, str) and ":" in arch else "own"
