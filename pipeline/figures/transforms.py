"""Transformed network inputs: an image moved, enlarged or turned about its centre."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional as v2

Kind = Literal["translation", "scale", "rotation"]


@dataclass(frozen=True)
class Transform:
    """One transformation by a number of amounts."""

    kind: Kind
    unit: str
    amounts: tuple[float, ...]
    """Pixels downwards, a factor, or degrees anticlockwise; the first one leaves the image as it is
    where the range has such an amount."""


def transforms(translation_px: int, largest_scale: float, steps: int) -> tuple[Transform, ...]:
    """The paper's three (Fig. 5): ± so many pixels, up to a factor, all the way round."""
    down = np.linspace(-translation_px, translation_px, 2 * steps + 1).round()
    return (
        Transform("translation", "px", tuple(down.tolist())),
        Transform("scale", "×", tuple(np.linspace(1, largest_scale, steps + 1).tolist())),
        Transform("rotation", "°", tuple(np.arange(0, 360, 360 / (2 * steps)).tolist())),
    )


def transformed(
    image: UInt8[np.ndarray, "row col 3"],
    kind: Kind,
    amount: float,
    crop: int,
    fill: Sequence[float],
) -> UInt8[np.ndarray, "crop crop 3"]:
    """The centre crop of a transformed image; what comes from outside the image is `fill`."""
    pixels = torch.from_numpy(image.copy()).permute(2, 0, 1)
    if not _is_identity(kind, amount):
        pixels = v2.affine(  # type: ignore[attr-defined]
            pixels,
            angle=-amount if kind == "rotation" else 0.0,
            translate=[0, round(amount) if kind == "translation" else 0],
            scale=amount if kind == "scale" else 1.0,
            shear=[0.0, 0.0],
            interpolation=InterpolationMode.BILINEAR,
            fill=list(fill),
        )
    centre: Tensor = v2.center_crop(pixels, [crop, crop])  # type: ignore[attr-defined]
    return np.ascontiguousarray(centre.permute(1, 2, 0).numpy())


def _is_identity(kind: Kind, amount: float) -> bool:
    return amount == (1.0 if kind == "scale" else 0.0)
