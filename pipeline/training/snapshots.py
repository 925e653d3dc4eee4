"""The weights after chosen epochs, kept for the evolution of features (paper, Fig. 4)."""

from pathlib import Path

from jaxtyping import Float
from safetensors.torch import save_file
from torch import Tensor

from pipeline.network.model import INPUT_MEAN
from pipeline.network.module import Network

FOLDER = "snapshots"


def keep_snapshot(
    state: Path, epoch: int, network: Network, mean: Float[Tensor, "3 #crop #crop"]
) -> None:
    """Write `snapshots/epoch_NNN.safetensors` in a state folder: a weights file with its mean."""
    folder = state / FOLDER
    folder.mkdir(exist_ok=True)
    tensors = dict(network.state_dict()) | {INPUT_MEAN: mean}
    name = f"epoch_{epoch:03d}.safetensors"
    partial = folder / f".{name}"
    save_file({key: t.detach().cpu().contiguous() for key, t in tensors.items()}, partial)
    partial.replace(folder / name)
