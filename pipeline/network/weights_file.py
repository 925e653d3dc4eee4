"""Files of weights: read as tensors without executing anything, and only plain numbers taken."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import safetensors
import torch
from torch import Tensor

from pipeline.errors import AtlasError
from pipeline.network.card import RETRAIN
from pipeline.network.readable import check_readable

Tensors = dict[str, Tensor]
"""Of any kind and shape, by name."""

SUFFIXES = (".safetensors", ".pt", ".pth", ".ckpt")
WEIGHT_TYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
MOST_SHARED = 4
"""Tensors may share their bytes, as tied layers do, but not take many times the file's size."""


def read_weights(path: Path, fix: str = RETRAIN) -> dict[str, Tensor]:
    """The tensors of a safetensors file. Raises AtlasError for what cannot be read as one."""
    check_readable(path, fix)
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (safetensors.SafetensorError, OSError, RuntimeError, ValueError, KeyError) as error:
        raise AtlasError(f"{path} is not a readable safetensors file ({error}).", fix=fix) from None
    check_plain(tensors, path, fix)
    return tensors


def check_plain(tensors: Mapping[str, Tensor], path: Path, fix: str) -> None:
    """Raise AtlasError naming the tensors that are not arrays of real numbers in memory.

    Looks at no value: a tensor may claim any shape over few bytes.
    """
    faults = [f"{name} is {fault}" for name, tensor in tensors.items() for fault in _odd(tensor)]
    if faults:
        raise AtlasError(f"{path} holds no plain weights: {'; '.join(faults)}.", fix=fix)
    taken = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    if taken > MOST_SHARED * path.stat().st_size:
        raise AtlasError(
            f"{path} holds no plain weights: its {path.stat().st_size} bytes stand for {taken}.",
            fix=fix,
        )


def _odd(tensor: Tensor) -> Iterator[str]:
    """What sets a tensor apart from an array of real numbers."""
    if tensor.is_nested:
        yield "nested"
    elif tensor.is_quantized:
        yield "quantised"
    elif tensor.layout != torch.strided:
        yield f"sparse ({str(tensor.layout).removeprefix('torch.')})"
    elif tensor.device.type != "cpu":
        yield f"without values (device {tensor.device.type})"
    elif tensor.dtype.is_complex:
        yield "complex"
    elif tensor.dtype.is_floating_point and tensor.dtype not in WEIGHT_TYPES:
        yield f"of {_kind(tensor)}, which weights are only packed in"


def check_values(tensors: Mapping[str, Tensor], source: Path | str, fix: str) -> None:
    """Raise AtlasError naming the tensors that are not finite float32 numbers."""
    faults = [f"{name} is {fault}" for name, tensor in tensors.items() for fault in _bad(tensor)]
    if faults:
        raise AtlasError(f"{source} holds no usable weights: {'; '.join(faults)}.", fix=fix)


def _bad(tensor: Tensor) -> Iterator[str]:
    if not tensor.dtype.is_floating_point:
        yield f"of {_kind(tensor)}"
    elif not (finite := tensor.float().isfinite()).all():
        count = int(finite.numel() - finite.sum())
        yield f"NaN or infinite in {count} of {finite.numel()} values"


def _kind(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")
