"""Weights trained elsewhere: read without executing anything, renamed, checked tensor by tensor."""

from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.errors import AtlasError
from pipeline.network.model import INPUT_MEAN, check_fit, read_weights
from pipeline.network.module import Network

Tensors = dict[str, Float[Tensor, "..."]]

TORCHVISION_ALEXNET = {
    "features.0": "conv1",
    "features.3": "conv2",
    "features.6": "conv3",
    "features.8": "conv4",
    "features.10": "conv5",
    "classifier.1": "fc6",
    "classifier.4": "fc7",
    "classifier.6": "fc8",
}
"""Layer names of torchvision's AlexNet, by position in its two chains."""


def read_foreign(path: Path) -> Tensors:
    """The tensors of a .safetensors, .pt or .pth file, under this project's names where known.

    Raises AtlasError for a file that holds anything but tensors: nothing in it is executed.
    """
    tensors = read_weights(path) if path.suffix == ".safetensors" else _read_pickled(path)
    return {_renamed(name): tensor.float() for name, tensor in tensors.items()}


def _read_pickled(path: Path) -> Tensors:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise AtlasError(f"There is no {path}.", fix="Mend the path.") from None
    except (UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        raise AtlasError(
            f"{path} cannot be read as plain tensors ({' '.join(str(error).split())[:200]}).",
            fix="Save its state_dict as .safetensors where you trust it.",
        ) from None
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    if not isinstance(content, Mapping) or not all(
        isinstance(value, Tensor) for value in content.values()
    ):
        raise AtlasError(
            f"{path} holds a {type(content).__name__}, not a state_dict of tensors.",
            fix="Save model.state_dict() instead.",
        )
    return dict(content)


def _renamed(name: str) -> str:
    """A tensor's name here; DataParallel's prefix is dropped."""
    name = name.removeprefix("module.")
    layer, _, kind = name.rpartition(".")
    return f"{TORCHVISION_ALEXNET[layer]}.{kind}" if layer in TORCHVISION_ALEXNET else name


def fill(network: Network, tensors: Tensors, path: Path) -> Network:
    """Give an empty network the tensors of a file.

    Raises AtlasError naming every tensor that is missing, of another shape, or too many.
    """
    weights = {name: tensor for name, tensor in tensors.items() if name != INPUT_MEAN}
    check_fit(network, weights, path)
    network.load_state_dict(weights, assign=True)
    return network
