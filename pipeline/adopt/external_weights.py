"""Weights trained elsewhere: read without executing anything, renamed, checked tensor by tensor."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.adopt.pickled import read_pickled
from pipeline.errors import AtlasError
from pipeline.network.card import INPUT_MEAN
from pipeline.network.model import check_fit
from pipeline.network.module import Network
from pipeline.network.weights_file import Tensors, check_values, read_weights

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
WRAPPERS = ("module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module")
"""Prefixes of the module that DataParallel, torch.compile, FSDP and checkpointing wrap."""
AVERAGED = "n_averaged"
"""What `torch.optim.swa_utils.AveragedModel` counts beside the tensors of `module`."""
COUNT = "num_batches_tracked"
"""What a batch norm counts while it is trained; older files lack it."""
_KNOWN = {
    f"{layer}.{kind}"
    for names in TORCHVISION_ALEXNET.items()
    for layer in names
    for kind in ("weight", "bias")
}
"""The names of this project's tensors, and torchvision's of the same."""
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
        What is not of real numbers stays as it is: no weight, as `check_values` finds.
        """
        scaled = {
            name: tensor.float() if tensor.is_floating_point() else tensor
            for name, tensor in self.tensors.items()
        }
        first = self.tensors.get("conv1.weight")
        if self.deviation is not None and first is not None and first.is_floating_point():
            factor = (1 / (self.deviation.double() * scale)).reshape(3, 1, 1)
            scaled["conv1.weight"] = (first.double() * factor).float()
        return scaled


def read_external_weights(path: Path) -> ExternalWeights:
    """Read a weights file; the names of torchvision's AlexNet are known.

    Raises AtlasError for a file that holds anything but tensors: nothing in it is executed.
    """
    tensors = unwrapped(read_tensors(path), _KNOWN, path)
    mean = _checked_mean(tensors.pop(INPUT_MEAN, None), path)
    if mean is None and any(_layer(name) in TORCHVISION_ALEXNET for name in tensors):
        mean = torch.tensor(TORCHVISION_MEAN, dtype=torch.float64).reshape(3, 1, 1)
        deviation = torch.tensor(TORCHVISION_STD, dtype=torch.float64)
    else:
        deviation = None
    return ExternalWeights(path, _renamed(tensors, _our_name, path), mean, deviation)


def read_tensors(path: Path) -> Tensors:
    """The tensors of a weights file, under the names that they have there.

    Raises AtlasError for a file that holds anything but tensors: nothing in it is executed.
    """
    if path.suffix.lower() == ".safetensors":
        return read_weights(path, fix="Correct the path, or download the file again.")
    return read_pickled(path)


def unwrapped(tensors: Tensors, known: Collection[str], path: Path) -> Tensors:
    """Tensors under the names that a network knows, without what wrapped it while it was trained.

    Names of which the network knows one stay as they are. Else `module.` (DataParallel),
    `_orig_mod.` (torch.compile) and their like go wherever they are, and then a leading `model.`
    (Lightning), or the one prefix under which all that the network knows is there; so does the
    count of averaged weights.
    Raises AtlasError where two tensors would then have one name.
    """

    def without_prefix(name: str) -> str:
        return _without_wrappers(name).removeprefix(prefix)

    prefix = _common_prefix(tensors, known)
    for reading in (_as_it_is, _without_wrappers, _without_module, without_prefix):
        if any(reading(name) in known for name in tensors):
            named = _renamed(tensors, reading, path)
            if reading is not _as_it_is and AVERAGED not in known:
                named.pop(AVERAGED, None)
            return named
    return tensors


def _as_it_is(name: str) -> str:
    return name


def _without_wrappers(name: str) -> str:
    return ".".join(part for part in name.split(".") if part not in WRAPPERS)


def _without_module(name: str) -> str:
    return _without_wrappers(name).removeprefix("model.")


def _common_prefix(tensors: Tensors, known: Collection[str]) -> str:
    """The one prefix under which all names that a network knows are there; empty where none is."""
    needed = [name for name in known if not name.endswith(COUNT)]
    there = {_without_wrappers(name) for name in tensors}
    prefixes = [
        name.removesuffix(needed[0]) for name in there if needed and name.endswith(f".{needed[0]}")
    ]
    whole = [prefix for prefix in prefixes if there.issuperset(prefix + name for name in needed)]
    return whole[0] if len(whole) == 1 else ""


def _renamed(tensors: Tensors, rename: Callable[[str], str], path: Path) -> Tensors:
    renamed: Tensors = {}
    for name, tensor in tensors.items():
        if rename(name) in renamed:
            raise AtlasError(
                f"{path} holds {rename(name)} twice: {name} is another name of it.",
                fix="Save the state_dict of one network.",
            )
        renamed[rename(name)] = tensor
    return renamed


def _checked_mean(mean: Tensor | None, path: Path) -> Tensor | None:
    """A file's own mean, by colour or by pixel."""
    if mean is None:
        return None
    if tuple(mean.shape) == (3, *mean.shape[-1:], *mean.shape[-1:]):
        check_values({INPUT_MEAN: mean}, path, fix="Save it as pixels 0…255.")
        return mean
    raise AtlasError(
        f"{path}: {INPUT_MEAN} is {tuple(mean.shape)}, not (3, 1, 1) or (3, crop, crop).",
        fix="Save it in that shape.",
    )


def _layer(name: str) -> str:
    return name.rpartition(".")[0]


def _our_name(name: str) -> str:
    """A tensor's name here."""
    layer, _, kind = name.rpartition(".")
    return f"{TORCHVISION_ALEXNET[layer]}.{kind}" if layer in TORCHVISION_ALEXNET else name


def load_strict(network: Network, tensors: Tensors, path: Path) -> Network:
    """Give an empty network the tensors of a file.

    Raises AtlasError naming every tensor that is missing, of another shape, or too many, and those
    that hold what is not a weight.
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
