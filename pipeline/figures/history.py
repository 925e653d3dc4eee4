"""The strongest image of each channel of a layer by epoch: when it changed, when it stayed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int32, Int64


@dataclass(frozen=True)
class History:
    """The winning images of some channels of a layer."""

    layer: str
    channels: Sequence[int]
    epochs: Sequence[int]
    """Ascending; 0 is the start."""
    image: Int32[np.ndarray, "channel epoch"]
    """Image row among the training images; −1 where none excites the channel."""
    activation: Float32[np.ndarray, "channel epoch"]

    @property
    def changed(self) -> Bool[np.ndarray, "channel epoch"]:
        """Where the winner is another than one epoch before; nowhere in the first."""
        same = self.image[:, 1:] == self.image[:, :-1]
        return np.concatenate([np.zeros((len(self.image), 1), bool), ~same], axis=1)

    @property
    def settled(self) -> Int64[np.ndarray, " channel"]:
        """The place of the epoch from which on the winner stayed.

        −1 where no image excites the channel in the end.
        """
        # The last change, or the first epoch; the winner of the last epoch stays from there on.
        steps = np.arange(len(self.epochs))
        last: Int64[np.ndarray, " channel"] = (self.changed * steps).max(axis=1)
        return np.where(self.image[:, -1] >= 0, last, -1)

    def facts(self) -> dict[str, object]:
        """As the figure's table has it."""
        return {
            "layer": self.layer,
            "channels": list(self.channels),
            "image": self.image.tolist(),
            "activation": self.activation.astype(float).tolist(),
            "changed": self.changed.tolist(),
            "settled": [self.epochs[at] if at >= 0 else None for at in self.settled.tolist()],
        }

    def summary(self) -> dict[str, float]:
        """Over the channels that are alive in the end; empty where none is."""
        settled = self.settled[self.settled >= 0]
        if not len(settled):
            return {}
        return {
            f"{self.layer}_median_settled_epoch": float(np.median(np.array(self.epochs)[settled])),
            f"{self.layer}_changed_at_the_last": float(np.mean(settled == len(self.epochs) - 1)),
        }
