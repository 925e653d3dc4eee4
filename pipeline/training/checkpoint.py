"""Checkpoints, from which a stopped training resumes to the same weights to the bit, and snapshots.

A snapshot is the weights at the start or after a chosen epoch, for the evolution of features
(paper, Fig. 4).
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from jaxtyping import Float
from safetensors.torch import save
from torch import Tensor, nn

from pipeline.network.card import INPUT_MEAN, snapshot_path
from pipeline.network.module import Network
from pipeline.storage.checked import read_checked, write_checked
from pipeline.storage.history import EpochRecord
from pipeline.training.optimizer import Excited, Schedule

logger = logging.getLogger(__name__)
FILE = "checkpoint.pt"


@dataclass
class Position:
    """The progress of a training run; every random draw is made from it and the seed."""

    epoch: int = 0
    """Epochs done."""
    step: int = 0
    """Steps done in the present epoch."""
    loss_sum: float = 0.0
    """Over the images of the present epoch."""
    wrong: int = 0
    """Images of the present epoch whose class was not the most probable one."""
    seen: int = 0
    """Images of the present epoch."""
    history: list[EpochRecord] = field(default_factory=list)
    """A record per epoch done."""
    filters: list[Float[Tensor, "out in row col"]] = field(default_factory=list)
    """The first layer's weights after each epoch done."""
    excited: Excited = field(default_factory=dict)
    """Steps of the present epoch that excited each channel."""


def save_checkpoint(
    folder: Path,
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    schedule: Schedule,
    position: Position,
) -> None:
    """Replace the checkpoint of a state folder, whole or not at all."""
    content = {
        "network": network.state_dict(),
        "optimizer": optimizer.state_dict(),
        "schedule": schedule.state_dict(),
        "position": vars(position) | {"history": [asdict(r) for r in position.history]},
    }
    write_checked(folder / FILE, lambda file: torch.save(content, file))


def load_checkpoint(
    folder: Path,
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    schedule: Schedule,
    snapshots: Sequence[int] = (),
) -> Position:
    """Set all to the last checkpoint of a folder; leave them at the start where there is none.

    A checkpoint past an epoch in `snapshots` whose snapshot is lost or damaged is not used: only
    training again from the start brings that snapshot back.
    """
    content = read_checked(folder / FILE)
    if content is None:
        return Position()
    state = torch.load(content, weights_only=True, map_location="cpu")
    position = state["position"]
    for epoch in snapshots:
        if epoch <= position["epoch"] and read_snapshot(folder, epoch) is None:
            logger.warning("The snapshot of epoch %d is lost; training from the start.", epoch)
            return Position()
    network.load_state_dict(state["network"])
    optimizer.load_state_dict(state["optimizer"])
    schedule.load_state_dict(state["schedule"])
    position["history"] = [EpochRecord(**record) for record in position["history"]]
    logger.info("Resuming after %(epoch)d epochs and %(step)d steps.", position)
    return Position(**position)


def save_snapshot(
    state: Path, epoch: int, network: Network, mean: Float[Tensor, "3 #crop #crop"]
) -> None:
    """Keep a weights file with its mean in a state folder, behind its checksum."""
    path = snapshot_path(state, epoch)
    path.parent.mkdir(exist_ok=True)
    tensors = dict(network.state_dict()) | {INPUT_MEAN: mean}
    content = save({key: t.detach().cpu().contiguous() for key, t in tensors.items()})
    write_checked(path, lambda file: file.write(content))


def read_snapshot(state: Path, epoch: int) -> bytes | None:
    """The weights file that `save_snapshot` kept; None where it is lost or damaged."""
    content = read_checked(snapshot_path(state, epoch))
    return None if content is None else content.getvalue()


def snapshots_of_state(state: Path) -> list[int]:
    """The epochs of the snapshots in a state folder."""
    paths = snapshot_path(state, 0).parent.glob("epoch_*.safetensors")
    return sorted(int(path.stem.removeprefix("epoch_")) for path in paths)


@dataclass
class Interval:
    """Says when the next checkpoint is due."""

    every_s: float
    """Seconds of work that a kill may cost."""
    last_s: float = field(default_factory=time.monotonic)
    """When the last one was written, on the monotonic clock."""

    def due(self) -> bool:
        """Whether that time has passed; if so, the next period starts."""
        now = time.monotonic()
        if now - self.last_s < self.every_s:
            return False
        self.last_s = now
        return True
