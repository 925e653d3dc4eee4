"""The windows of convolutions and pools: which cells of a map each reads."""

from dataclasses import dataclass

Pair = tuple[int, int]
"""Along rows, along columns."""


@dataclass(frozen=True)
class Window:
    """A window that moves over a map.

    Padding after the last row and column is not a fact of its own: it follows from the size of the
    output. One formula then covers windows that are completed, dropped or centred.
    """

    kernel: Pair
    stride: Pair = (1, 1)
    before: Pair = (0, 0)
    """Padding above and to the left."""
    dilation: Pair = (1, 1)

    @property
    def extent(self) -> Pair:
        """Cells from the first to the last that one window reads."""
        rows, cols = (
            (kernel - 1) * dilation + 1
            for kernel, dilation in zip(self.kernel, self.dilation, strict=True)
        )
        return rows, cols

    def after(self, size: Pair, cells: Pair) -> Pair:
        """Padding below and to the right; negative where the last cells are read by no window."""
        rows, cols = (
            (cells[axis] - 1) * self.stride[axis] + self.extent[axis] - size[axis] - before
            for axis, before in enumerate(self.before)
        )
        return rows, cols

    def covers(self, size: Pair, cells: Pair) -> bool:
        """Whether the windows read all of a map: none of it lies between them or after the last."""
        steps = zip(self.stride, self.kernel, self.dilation, strict=True)
        between = any(stride > kernel or step > 1 for stride, kernel, step in steps)
        return not between and min(self.after(size, cells)) >= 0

    def completed(self, size: Pair) -> Pair:
        """Cells where the last window may reach past the padding (cuda-convnet's rule)."""
        rows, cols = (
            1 - (-(size[axis] + 2 * before - self.extent[axis]) // self.stride[axis])
            for axis, before in enumerate(self.before)
        )
        return rows, cols


def square(kernel: int, stride: int = 1, padding: int = 0) -> Window:
    """A window that is the same along rows and columns."""
    return Window((kernel, kernel), (stride, stride), (padding, padding))
