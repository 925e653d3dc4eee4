"""One layer's maps of a few images: where its channels respond most."""

import numpy as np
import torch
from jaxtyping import Float, Float32, Int32, Int64
from torch import Tensor

from pipeline.network.ops import MaxPool


class FeatureMaps:
    """A layer's maps, and what its max pool made of them where one follows.

    The windows of such a pool cover every cell, so the largest pooled value is the peak: there are
    fewer values to read. The maps are the forward pass's own and hold until its next step.
    """

    def __init__(
        self,
        maps: Float[Tensor, "image channel row col"],
        pooled: Float[Tensor, "image channel pooled_row pooled_col"] | None = None,
        pool: MaxPool | None = None,
    ) -> None:
        self.maps = maps
        self._pool = pool
        # With channels innermost, as they lie, this is forty times faster than amax(dim=3).
        self._rows = (maps if pooled is None else pooled).movedim(1, 3).amax(dim=2)

    def peaks(self) -> Float32[np.ndarray, "image channel"]:
        """The largest activation of every channel in every image; NaN where there is one."""
        peaks: Float32[np.ndarray, "image channel"] = self._rows.amax(dim=1).cpu().numpy()
        return peaks

    def cells(
        self, image: Int64[np.ndarray, " entry"], channel: Int64[np.ndarray, " entry"]
    ) -> Int32[np.ndarray, "entry 2"]:
        """(row, col) of the peaks at some positions; of equal cells the first, row by row."""
        device = self.maps.device
        image_at, channel_at = (torch.from_numpy(at).to(device) for at in (image, channel))
        found: Int32[np.ndarray, "entry 2"] = self._find(image_at, channel_at).int().cpu().numpy()
        return found

    def _find(
        self, image: Int64[Tensor, " entry"], channel: Int64[Tensor, " entry"]
    ) -> Int64[Tensor, "entry 2"]:
        rows = self._rows[image, :, channel].argmax(dim=1)[:, None]
        if self._pool is not None:
            # The first row of windows that holds the peak reaches the peak's first row.
            window = self._pool.window
            within = torch.arange(window.kernel[0], device=rows.device) * window.dilation[0]
            rows = rows * window.stride[0] + within - window.before[0]
            rows = rows.clamp(min=0, max=self.maps.shape[2] - 1)
        strips = self.maps[image[:, None], channel[:, None], rows]
        first = strips.flatten(1).argmax(dim=1, keepdim=True)
        cols = strips.shape[2]
        return torch.cat([rows.gather(1, first // cols), first % cols], dim=1)
