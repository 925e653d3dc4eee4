"""The view of a flat plane: where its points fall on the picture, and back."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32

from demo.layer import Field

Points = Float[np.ndarray, "point 2"]
"""(x, y) in plane units, y downwards; a subject fills about the unit disc."""


@dataclass(frozen=True)
class View:
    """A homography from the plane to the pixels of a picture."""

    height: int
    width: int
    matrix: Float[np.ndarray, "3 3"]
    """Takes (x, y, 1) of the plane to (column, row, 1) of the picture, up to a factor."""

    @property
    def unit_px(self) -> float:
        """Length in pixels of one plane unit at the plane's origin."""
        scale = self.matrix[2, 2]
        return float(math.sqrt(abs(np.linalg.det(self.matrix / scale))))

    def project(self, points: Points) -> Points:
        """Find the (column, row) of points of the plane."""
        seen = points @ self.matrix[:, :2].T + self.matrix[:, 2]
        pixels: Points = seen[:, :2] / seen[:, 2:]
        return pixels

    def grid(self) -> tuple[Field, Field, Field]:
        """Find the plane's x and y under every pixel, and the pixels per unit there."""
        back = np.linalg.inv(self.matrix)
        back = (back / back[2, 2]).astype(np.float32)
        col = np.arange(self.width, dtype=np.float32)[None, :] + np.float32(0.5)
        row = np.arange(self.height, dtype=np.float32)[:, None] + np.float32(0.5)
        depth = back[2, 0] * col + back[2, 1] * row + back[2, 2]
        x = (back[0, 0] * col + back[0, 1] * row + back[0, 2]) / depth
        y = (back[1, 0] * col + back[1, 1] * row + back[1, 2]) / depth
        shrink = abs(float(np.linalg.det(back))) ** -0.5
        return x, y, np.abs(depth) ** np.float32(1.5) * np.float32(shrink)

    def placed(self, x: float, y: float, scale: float, spin: float) -> "View":
        """See a smaller plane laid on this one, its origin at (x, y), turned by `spin` radians."""
        return View(self.height, self.width, self.matrix @ _similar(x, y, scale, spin))


def pose(
    rng: np.random.Generator,
    size: tuple[int, int],
    radius: float,
    spin: float,
    tilt: float = 0.2,
) -> View:
    """Draw a view with the origin near the middle of a (height, width) picture.

    `radius` is that of the unit disc as a share of the shorter side, `spin` the largest turn in
    radians, `tilt` the largest change of depth over one unit.
    """
    height, width = size
    unit = radius * min(size)
    shift = rng.uniform(-0.07, 0.07, 2) * min(size)
    centre = _similar(width / 2 + float(shift[0]), height / 2 + float(shift[1]), unit, 0.0)
    lean = np.eye(3)
    lean[2, :2] = rng.uniform(-tilt, tilt, 2)
    squeeze = np.diag([rng.uniform(0.85, 1.12), rng.uniform(0.9, 1.1), 1.0])
    return View(
        height,
        width,
        centre @ lean @ squeeze @ _similar(0.0, 0.0, 1.0, rng.uniform(-spin, spin)),
    )


def coverage(distance_px: Field) -> Float32[np.ndarray, "row col"]:
    """Turn a signed distance to an edge, positive inside, into antialiased coverage."""
    return np.clip(distance_px + np.float32(0.5), 0, 1)


def _similar(x: float, y: float, scale: float, spin: float) -> Float[np.ndarray, "3 3"]:
    c, s = scale * math.cos(spin), scale * math.sin(spin)
    return np.array([[c, -s, x], [s, c, y], [0.0, 0.0, 1.0]])
