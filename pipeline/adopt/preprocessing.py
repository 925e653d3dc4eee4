"""The preprocessing and the classes of a network, as its user or its weights state them."""

import importlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args

from pipeline.dataset.class_names import ClassNames
from pipeline.errors import AtlasError
from pipeline.params import DataParams, Interpolation

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


def chosen(
    known: Preprocessing | None,
    data: DataParams,
    *,
    mean: tuple[float, ...] | None,
    std: tuple[float, ...] | None,
    grey: tuple[float, float] | None,
    resize: int | None,
    crop: int | None,
    interpolation: Interpolation | None,
) -> Preprocessing:
    """As the options say, else as the weights do, else (the sizes alone) as params.yaml does.

    Raises AtlasError for options that contradict one another, and where one is missing.
    """
    if grey is not None:
        if mean is not None or std is not None:
            raise AtlasError(
                "--grey and --mean or --std exclude one another.",
                fix="Give --grey for a network of grey images, else --mean and --std.",
            )
        mean, std = grey[:1], grey[1:]
    if known is None and (mean is None or std is None):
        raise AtlasError(
            "Nothing says how the network's inputs are normalised.",
            fix="Add --mean R G B --std R G B, in 0…1, or --grey MEAN STD.",
        )
    _check_range(mean or (), std or (), "--mean and --std" if grey is None else "MEAN and STD")
    if known is None:
        known = Preprocessing(data.resize, data.crop, mean or (), std or ())
    side = crop or known.crop
    if resize is not None and resize < side:
        raise AtlasError(
            f"--resize {resize} is smaller than the input's side of {side}.",
            fix=f"Give at least --resize {side}, or a smaller --crop.",
        )
    return Preprocessing(
        resize=resize or max(known.resize, side),
        crop=side,
        mean=mean or known.mean,
        std=std or known.std,
        interpolation=interpolation or known.interpolation,
    )


def _check_range(mean: tuple[float, ...], std: tuple[float, ...], options: str) -> None:
    """Raise AtlasError for values that are not of pixels from 0 to 1."""
    if any(not 0 <= value <= 1 for value in (*mean, *std)):
        raise AtlasError(
            f"{options} must be between 0 and 1, not {(*mean, *std)}.",
            fix="Divide them by 255 where they are of pixels 0…255.",
        )
    if not all(std):
        raise AtlasError(
            f"A deviation must be above 0, not {', '.join(f'{value:g}' for value in std)}.",
            fix="Give that of the training images, or 1 where nothing was divided.",
        )


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
