"""The preprocessing and the classes of a network, as its weights state them."""

import importlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args

from pipeline.dataset.class_names import ClassNames
from pipeline.errors import AtlasError
from pipeline.params import Interpolation

WNIDS = Path(__file__).parent / "imagenet_wnids.txt"
"""The WordNet ids of ImageNet's 1000 classes, in the order of every network's scores."""


@dataclass(frozen=True)
class Preprocessing:
    """From a photograph to an input: shortest side to `resize`, centre square, normalisation."""

    resize: int
    crop: int
    mean: tuple[float, ...]
    """By colour, of pixels from 0 to 1."""
    std: tuple[float, ...]
    interpolation: Interpolation = "bilinear"


Known = tuple[Preprocessing | None, ClassNames | None]
"""Facts that weights state; None where they state nothing."""


def of_torchvision(weights: Any) -> Known:
    """What a weights name of torchvision says."""
    transforms = weights.transforms()
    if not transforms.antialias:
        raise AtlasError(
            f"The images of the weights {weights.name} were resized without antialiasing, which an "
            "atlas does not do.",
            fix="Choose other weights.",
        )
    side = transforms.crop_size[0]
    preprocessing = Preprocessing(
        resize=transforms.resize_size[0],
        crop=side,
        mean=tuple(transforms.mean),
        std=tuple(transforms.std),
        interpolation=_interpolation(transforms.interpolation.value),
    )
    return preprocessing, _named(tuple(weights.meta["categories"]))


def of_timm(config: Mapping[str, Any]) -> Known:
    """What timm's `pretrained_cfg` of a network says."""
    if not {"input_size", "mean", "std"} <= config.keys():
        return None, None
    mode = config.get("crop_mode") or "center"
    if mode != "center":
        raise AtlasError(
            f"The weights' images were cut with crop_mode {mode!r}; an atlas takes the centre.",
            fix="Choose other weights, or return torch.nn.Sequential(module) from a function in "
            "nets/ and give --mean, --std, --resize and --crop.",
        )
    crop = int(config["input_size"][-1])
    preprocessing = Preprocessing(
        resize=math.floor(crop / config.get("crop_pct", 0.875)),
        crop=crop,
        mean=tuple(config["mean"]),
        std=tuple(config["std"]),
        interpolation=_interpolation(config.get("interpolation", "bilinear")),
    )
    return preprocessing, imagenet() if config.get("num_classes") == 1000 else None


def imagenet() -> ClassNames:
    """The 1000 classes of ImageNet, as torchvision names them."""
    meta = importlib.import_module("torchvision.models._meta")
    return _named(tuple(meta._IMAGENET_CATEGORIES))


def _named(categories: tuple[str, ...]) -> ClassNames:
    meta = importlib.import_module("torchvision.models._meta")
    if categories != tuple(meta._IMAGENET_CATEGORIES):
        return ClassNames(categories)
    return ClassNames(categories, tuple(WNIDS.read_text(encoding="ascii").split()))


def _interpolation(name: str) -> Interpolation:
    if name not in get_args(Interpolation):
        raise AtlasError(
            f"The weights' images were resized with {name!r}.",
            fix=f"Choose one of {', '.join(get_args(Interpolation))} with --interpolation.",
        )
    return cast(Interpolation, name)
