"""A layer of the picture: premultiplied colour, coverage and relief, and how layers stack."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32
from PIL import Image, ImageFilter

Picture = Float32[np.ndarray, "row col rgb"]
"""sRGB values, 0 to 1 (beyond until the camera clips them)."""

Parts = tuple[tuple[str, float, float], ...]
"""Named parts of a subject, each with the (row, column) of its middle in pixels from the corner."""

Field = Float32[np.ndarray, "row col"]
"""One number per pixel."""


@dataclass(frozen=True)
class PaintLayer:
    """The pixels that one subject puts on the picture."""

    colour: Picture
    """Colour times coverage, so that `below * (1 - alpha) + colour` is the stack."""
    alpha: Field
    """Coverage, 0 to 1."""
    height: Field
    """Relief in pixels above the plane, for the light."""
    parts: Parts = ()
    """Where parts are that a subject of this kind always has."""

    def over(self, below: Picture) -> Picture:
        """Lay this layer on a picture."""
        stack: Picture = below * (1 - self.alpha[..., None]) + self.colour
        return stack


def opaque(colour: Picture, height: Field) -> PaintLayer:
    """Make a layer that hides everything below."""
    return PaintLayer(colour, np.ones_like(height), height)


def cut(layer: PaintLayer, alpha: Field) -> PaintLayer:
    """Keep of a layer only what `alpha` covers; its rim is not rounded."""
    return PaintLayer(layer.colour * alpha[..., None], layer.alpha * alpha, layer.height)


def blurred(field: Field, radius_px: float) -> Field:
    """Blur a field of values in 0 to 1 (to 8 bits), as a lens or the penumbra of a shadow does."""
    grey = Image.fromarray((field.clip(0, 1) * 255).astype(np.uint8))
    soft = grey.filter(ImageFilter.BoxBlur(radius_px)).filter(ImageFilter.BoxBlur(radius_px))
    return np.asarray(soft, dtype=np.float32) * np.float32(1 / 255)


def blend(
    first: Float32[np.ndarray, "#row #col rgb"],
    second: Float32[np.ndarray, "#row #col rgb"],
    share: Field,
) -> Picture:
    """Blend two pictures, each whole or one colour; `share` is that of the second, per pixel."""
    blended: Picture = first + (second - first) * share[..., None]
    return blended


def to_image(picture: Picture) -> Image.Image:
    """Round a picture to 8 bits."""
    return Image.fromarray((picture.clip(0, 1) * 255 + 0.5).astype(np.uint8))


def to_picture(image: Image.Image) -> Picture:
    """Read 8-bit pixels back as numbers from 0 to 1."""
    return np.asarray(image, dtype=np.float32) * np.float32(1 / 255)
