"""A vector drawing with relief: shapes in plane units, rasterised finer than the picture."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from demo.colour import Colour, mix
from demo.curves import shrunk
from demo.layer import PaintLayer, Parts
from demo.view import Points, View

_FINER = 3
"""Samples per pixel along each axis."""

_RELIEF_PX = 24.0
"""Height in pixels of the tallest relief, 1."""


class Plate:
    """Shapes are drawn one over the other; each has a colour and a height from 0 to 1."""

    def __init__(self, view: View) -> None:
        self.view = view
        size = (view.width * _FINER, view.height * _FINER)
        # RGBX, not RGBA: Pillow would divide the colours by their coverage when it reduces.
        self._paint = Image.new("RGBX", size, (0, 0, 0, 0))
        self._relief = Image.new("L", size, 0)
        self._brush = ImageDraw.Draw(self._paint)
        self._chisel = ImageDraw.Draw(self._relief)
        self._parts: Parts = ()

    def fill(self, outline: Points, colour: Colour, height: float | None = 0.5) -> None:
        """Fill a closed outline; with `height` None the relief below stays, as under paint."""
        corners = self._corners(outline)
        self._brush.polygon(corners, fill=_ink(colour))
        if height is not None:
            self._chisel.polygon(corners, fill=round(255 * height))

    def blush(self, outline: Points, rim: Colour, top: Colour, steps: int = 5) -> None:
        """Paint an outline whose colour changes towards its centre; the relief stays."""
        for step in range(steps):
            share = step / (steps - 1)
            self.fill(shrunk(outline, 1 - 0.85 * share), mix(rim, top, share), None)

    def clear(self, outline: Points) -> None:
        """Cut a hole through everything drawn so far."""
        corners = self._corners(outline)
        self._brush.polygon(corners, fill=(0, 0, 0, 0))
        self._chisel.polygon(corners, fill=0)

    def dome(
        self,
        outline: Points,
        rim: Colour,
        top: Colour,
        heights: tuple[float, float] = (0.3, 0.7),
        steps: int = 7,
    ) -> None:
        """Fill an outline that rises and changes colour from its rim to its centre."""
        low, high = heights
        for step in range(steps):
            share = step / (steps - 1)
            rise = 1 - (1 - share) ** 2
            self.fill(
                shrunk(outline, 1 - 0.85 * share), mix(rim, top, share), low + (high - low) * rise
            )

    def stroke(
        self, path: Points, width: float, colour: Colour, height: float | None = 0.5
    ) -> None:
        """Draw a line of constant width; with `height` None the relief below stays."""
        corners = self._corners(path)
        thick = max(1, round(width * self.view.unit_px * _FINER))
        joint = "curve" if thick > 2 * _FINER and len(path) > 2 else None
        self._brush.line(corners, fill=_ink(colour), width=thick, joint=joint)
        if height is not None:
            self._chisel.line(corners, fill=round(255 * height), width=thick, joint=joint)

    def outline(self, shape: Points, width: float, colour: Colour) -> None:
        """Draw the closed contour of a shape."""
        self.stroke(np.concatenate([shape, shape[:2]]), width, colour, None)

    def mark(self, part: str, x: float, y: float) -> None:
        """Note that the middle of a part is at a point of the plane."""
        ((col, row),) = self.view.project(np.array([[x, y]])).tolist()
        self._parts = (*self._parts, (part, row, col))

    def layer(self, soft_px: float = 1.5) -> PaintLayer:
        """Rasterise; edges of the relief are rounded over `soft_px` pixels."""
        paint = np.asarray(self._paint.reduce(_FINER), dtype=np.float32) * np.float32(1 / 255)
        relief = self._relief.reduce(_FINER).filter(ImageFilter.GaussianBlur(soft_px))
        height = np.asarray(relief, dtype=np.float32) * np.float32(_RELIEF_PX / 255)
        return PaintLayer(np.ascontiguousarray(paint[..., :3]), paint[..., 3], height, self._parts)

    def _corners(self, points: Points) -> list[float]:
        """List x, y, x, y, … in the samples of the drawing."""
        corners: list[float] = (self.view.project(points) * _FINER).ravel().tolist()
        return corners


def _ink(colour: Colour) -> tuple[int, int, int, int]:
    red, green, blue = colour
    return round(255 * red), round(255 * green), round(255 * blue), 255
