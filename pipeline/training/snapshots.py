"""The start and the weights after chosen epochs, for the evolution of features (paper, Fig. 4)."""

from pathlib import Path

from jaxtyping import Float
from safetensors.torch import save_file
from torch import Tensor

from pipeline.network.model import INPUT_MEAN, snapshot_path
from pipeline.network.module import Network


def keep_snapshot(
    state: Path, epoch: int, network: Network, mean: Float[Tensor, "3 #crop #crop"]
) -> None:
    """Write `snapshots/epoch_NNN.safetensors` in a state folder: a weights file with its mean."""
    path = snapshot_path(state, epoch)
    path.parent.mkdir(exist_ok=True)
    tensors = dict(network.state_dict()) | {INPUT_MEAN: mean}
    partial = path.with_name(f".{path.name}")
    save_file({key: t.detach().cpu().contiguous() for key, t in tensors.items()}, partial)
    partial.replace(path)
