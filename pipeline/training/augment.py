"""Random views of the training squares, for a whole batch at once.

Draws are made for the whole batch on the CPU, so that they are the same however many processes
share it; the pixels are read where they are.
"""

from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int64, UInt8
from torch import Tensor
from torch.nn import functional

Squares = UInt8[Tensor, "image side side 3"]
Views = Float[Tensor, "image 3 crop crop"]

AREA = (0.4, 1.0)
"""Smallest and largest share of the square that a strong view shows."""
ASPECT = (3 / 4, 4 / 3)
"""Narrowest and widest strong view, width over height."""
COLOUR = 0.3
"""Largest difference of a strong view's brightness, contrast and saturation from 1."""
GREY = (0.299, 0.587, 0.114)
"""Share of each colour in the lightness (ITU-R BT.601)."""


@runtime_checkable
class Draws(Protocol):
    """The random choices for the images of a batch."""

    def share(self, positions: slice) -> "Draws":
        """The choices for some of the images."""
        ...

    def views(self, squares: Squares) -> Views:
        """Apply them: pixels 0…255, channels-last in memory."""
        ...


@dataclass(frozen=True)
class Crops:
    """A crop at a place, mirrored or not: the paper's."""

    top: Int64[Tensor, " image"]
    left: Int64[Tensor, " image"]
    mirrored: Bool[Tensor, " image"]
    crop: int

    def share(self, positions: slice) -> "Crops":
        """The choices for some of the images."""
        return Crops(self.top[positions], self.left[positions], self.mirrored[positions], self.crop)

    def views(self, squares: Squares) -> Views:
        """Cut the crops out."""
        count = len(squares)
        cut = squares.new_empty(count, self.crop, self.crop, 3)
        places = zip(self.top.tolist(), self.left.tolist(), self.mirrored.tolist(), strict=True)
        for row, (top, left, mirrored) in enumerate(places):
            window = squares[row, top : top + self.crop, left : left + self.crop]
            cut[row] = window.flip(1) if mirrored else window
        return cut.permute(0, 3, 1, 2).float()


@dataclass(frozen=True)
class Warps:
    """A part of the square, stretched to the crop, perhaps mirrored, in other light: strong."""

    height: Float[Tensor, " image"]
    """Of the part, as a share of the square's side."""
    width: Float[Tensor, " image"]
    """Of the part, as a share of the square's side; negative where it is mirrored."""
    centre: Float[Tensor, "image 2"]
    """Centre (x, y) of the part; the square reaches from −1 to 1."""
    light: Float[Tensor, "image 3"]
    """Factors on brightness, contrast and saturation."""
    crop: int

    def share(self, positions: slice) -> "Warps":
        """The choices for some of the images."""
        return Warps(
            self.height[positions],
            self.width[positions],
            self.centre[positions],
            self.light[positions],
            self.crop,
        )

    def views(self, squares: Squares) -> Views:
        """Sample the parts bilinearly, then change the light."""
        device = squares.device
        zero = torch.zeros_like(self.width)
        affine = torch.stack(
            [
                torch.stack([self.width, zero, self.centre[:, 0]], dim=1),
                torch.stack([zero, self.height, self.centre[:, 1]], dim=1),
            ],
            dim=1,
        ).to(device)
        grid = functional.affine_grid(
            affine, [len(squares), 3, self.crop, self.crop], align_corners=False
        )
        pixels = squares.permute(0, 3, 1, 2).float()
        views = functional.grid_sample(
            pixels, grid, mode="bilinear", padding_mode="reflection", align_corners=False
        )
        return relight(views, self.light.to(device)).contiguous(memory_format=torch.channels_last)


def relight(views: Views, light: Float[Tensor, "image 3"]) -> Views:
    """Scale brightness, then contrast about mid grey, then saturation about the lightness."""
    brightness, contrast, saturation = light[:, :, None, None, None].unbind(1)
    views = (views * brightness - 127.5) * contrast + 127.5
    grey = torch.tensor(GREY, device=views.device)[:, None, None]
    lightness = (views * grey).sum(dim=1, keepdim=True)
    return ((views - lightness) * saturation + lightness).clamp(0, 255)


def draw_views(
    kind: Literal["none", "paper", "strong"],
    count: int,
    side: int,
    crop: int,
    generator: torch.Generator,
) -> Draws:
    """Make the choices for `count` squares of a side, to be seen as squares of side `crop`."""
    if kind == "none":
        middle = torch.full((count,), (side - crop) // 2)
        return Crops(middle, middle, torch.zeros(count, dtype=torch.bool), crop)
    mirrored = torch.rand(count, generator=generator) < 0.5
    if kind == "paper":
        corners = torch.randint(side - crop + 1, (2, count), generator=generator)
        return Crops(corners[0], corners[1], mirrored, crop)
    return _draw_warps(mirrored, crop, generator)


def _draw_warps(mirrored: Bool[Tensor, " image"], crop: int, generator: torch.Generator) -> Warps:
    uniform = torch.rand(7, len(mirrored), generator=generator)
    area = AREA[0] + (AREA[1] - AREA[0]) * uniform[0]
    narrow, wide = torch.tensor(ASPECT).log()
    aspect = (narrow + (wide - narrow) * uniform[1]).exp()
    width = (area * aspect).sqrt().clamp(max=1)
    height = (area / aspect).sqrt().clamp(max=1)
    margin = 1 - torch.stack([width, height], dim=1)
    return Warps(
        height=height,
        width=torch.where(mirrored, -width, width),
        centre=(2 * uniform[2:4].T - 1) * margin,
        light=1 + COLOUR * (2 * uniform[4:7].T - 1),
        crop=crop,
    )
