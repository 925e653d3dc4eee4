"""Weights trained elsewhere: read without executing anything, renamed, checked tensor by tensor."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

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
TORCHVISION_MEAN = (123.675, 116.28, 103.53)
"""Mean colour of the ImageNet training images, as torchvision's models expect it (0…255)."""
TORCHVISION_STD = (58.395, 57.12, 57.375)
"""Its standard deviation by colour, as torchvision's models expect it (0…255)."""


@dataclass(frozen=True)
class ExternalWeights:
    """The tensors of a file under this project's names, and what inputs they were trained with."""

    path: Path
    tensors: Tensors
    mean: Float[Tensor, "3 #crop #crop"] | None
    """What was subtracted from pixels 0…255, where the file says it."""
    deviation: Float[Tensor, " 3"] | None
    """What the difference was divided by, where it differs by colour."""

    def at_scale(self, scale: float) -> Tensors:
        """Tensors that give the same scores for inputs (pixel − mean) × scale.

        A deviation by colour becomes a factor on conv1's weights, exact but for one rounding.
        """
        factors = {}
        if self.deviation is not None:
            factors["conv1.weight"] = (1 / (self.deviation.double() * scale)).reshape(3, 1, 1)
        return {
            name: (tensor.double() * factors[name] if name in factors else tensor).float()
            for name, tensor in self.tensors.items()
        }


def read_external_weights(path: Path) -> ExternalWeights:
    """Read a .safetensors, .pt or .pth file of tensors; names of torchvision's AlexNet are known.

    Raises AtlasError for a file that holds anything but tensors: nothing in it is executed.
    """
    tensors = read_tensors(path)
    mean = _checked_mean(tensors.pop(INPUT_MEAN, None), path)
    if mean is None and any(_layer(name) in TORCHVISION_ALEXNET for name in tensors):
        mean = torch.tensor(TORCHVISION_MEAN, dtype=torch.float64).reshape(3, 1, 1)
        deviation = torch.tensor(TORCHVISION_STD, dtype=torch.float64)
    else:
        deviation = None
    renamed = {_renamed(name): tensor for name, tensor in tensors.items()}
    return ExternalWeights(path, renamed, mean, deviation)


def read_tensors(path: Path) -> Tensors:
    """The tensors of a .safetensors, .pt or .pth file, under the names that they have there.

    Raises AtlasError for a file that holds anything but tensors: nothing in it is executed.
    """
    if not path.is_file():
        raise AtlasError(f"There is no file {path}.", fix="Correct the path.")
    given = read_weights(path) if path.suffix == ".safetensors" else _read_pickled(path)
    return {name.removeprefix("module."): tensor for name, tensor in given.items()}


def _read_pickled(path: Path) -> Mapping[str, Tensor]:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file makes torch's reader raise almost anything
        code = re.search(r"GLOBAL (\S+)", str(error))
        told = f"calls for {code[1]}" if code else f"is damaged ({type(error).__name__})"
        raise AtlasError(
            f"{path} cannot be read as plain tensors: it {told}.",
            fix="Save its state_dict as .safetensors where you trust it, or fetch it anew.",
        ) from None
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    if not isinstance(content, Mapping):
        raise AtlasError(
            f"{path} holds a {type(content).__name__}, not a state_dict of tensors.",
            fix="Save model.state_dict() instead.",
        )
    strange = [f"{name!r} is no name" for name in content if not isinstance(name, str)]
    strange += [
        f"{name} is no tensor but a {type(value).__name__}"
        for name, value in content.items()
        if not isinstance(value, Tensor)
    ]
    if strange:
        raise AtlasError(
            f"{path} is no state_dict of tensors: {'; '.join(strange)}.",
            fix="Save model.state_dict() instead.",
        )
    return content


def _checked_mean(mean: Tensor | None, path: Path) -> Tensor | None:
    """A file's own mean, by colour or by pixel."""
    if mean is None or tuple(mean.shape) == (3, *mean.shape[-1:], *mean.shape[-1:]):
        return mean
    raise AtlasError(
        f"{path}: {INPUT_MEAN} is {tuple(mean.shape)}, not (3, 1, 1) or (3, crop, crop).",
        fix="Save it in that shape.",
    )


def _layer(name: str) -> str:
    return name.rpartition(".")[0]


def _renamed(name: str) -> str:
    """A tensor's name here."""
    layer, _, kind = name.rpartition(".")
    return f"{TORCHVISION_ALEXNET[layer]}.{kind}" if layer in TORCHVISION_ALEXNET else name


def load_strict(network: Network, tensors: Tensors, path: Path) -> Network:
    """Give an empty network the tensors of a file.

    Raises AtlasError naming every tensor that is missing, of another shape, or too many.
    """
    check_fit(
        network,
        tensors,
        path,
        fix="Set model and data.crop to those of the weights (torchvision's AlexNet: "
        "alexnet-torchvision, 223), or take what fits with train.init_from.",
    )
    network.load_state_dict(tensors, assign=True)
    return network
