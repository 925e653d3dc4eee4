"""The normalisation of network inputs."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

Colours = Float[Tensor, "colour #row #col"]


@dataclass(frozen=True)
class Normalisation:
    """(pixel 0…255 − mean) × scale."""

    mean: Colours
    """Of each colour (colour, 1, 1) or of each pixel."""
    scale: Float[Tensor, "#colour 1 1"]
    """Of each colour (colour, 1, 1), or one for all (1, 1, 1)."""

    def __call__(
        self, pixels: UInt8[Tensor, "image colour row col"]
    ) -> Float[Tensor, "image colour row col"]:
        """Network inputs of pixels, on their device."""
        return (pixels.float() - self.mean.to(pixels.device)) * self.scale.to(pixels.device)

    def overwrite(
        self, pixels: Float[Tensor, "image colour row col"]
    ) -> Float[Tensor, "image colour row col"]:
        """Network inputs of float pixels on the normalisation's own device; overwrites them."""
        return pixels.sub_(self.mean).mul_(self.scale)

    def to(self, device: torch.device) -> "Normalisation":
        """The same on a device, laid out channels last as images are."""
        mean = self.mean.to(device)[None].contiguous(memory_format=torch.channels_last)[0]
        return Normalisation(mean, self.scale.to(device))

    def largest(self) -> float:
        """The largest magnitude that an input can have; NaN where the mean or the scale is."""
        ends = torch.stack([self.mean.abs(), (255 - self.mean).abs()])
        return float((ends.double() * self.scale.double().abs()).max())
