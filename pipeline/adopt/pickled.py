"""Weights as torch.save writes them: tensors alone, of a size that the file's size bounds."""

import re
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from pipeline.errors import AtlasError
from pipeline.network.readable import check_readable
from pipeline.network.weights_file import check_plain

ZIP_START = b"PK\x03\x04"
"""By which torch knows its present format; older files are bare pickles."""
HOLDERS = ("state_dict", "model_state_dict", "model")
"""Under which a checkpoint holds its weights."""
SAVE = "Save model.state_dict() instead."


def read_pickled(path: Path) -> dict[str, Tensor]:
    """The tensors of a .pt, .pth or .ckpt file, or of the state_dict that it holds.

    Raises AtlasError for a file that holds anything else: nothing in it is executed.
    """
    check_readable(path, fix="Correct the path.")
    content = _loaded(path)
    if isinstance(content, Mapping):
        content = _state_dict(content)
    if not isinstance(content, Mapping):
        raise AtlasError(
            f"{path} holds a {type(content).__name__}, not a state_dict of tensors.", fix=SAVE
        )
    strange = [f"{name!r} is not a name" for name in content if not isinstance(name, str)]
    strange += [
        f"{name} is not a tensor but a {type(value).__name__}"
        for name, value in content.items()
        if not isinstance(value, Tensor)
    ]
    if strange:
        raise AtlasError(f"{path} is not a state_dict of tensors: {'; '.join(strange)}.", fix=SAVE)
    tensors = {name: tensor.detach() for name, tensor in content.items()}
    check_plain(tensors, path, fix="Save plain tensors of real numbers: `tensor.float()`.")
    return tensors


def _state_dict(content: Mapping[object, object]) -> Mapping[object, object]:
    """What a checkpoint holds under a usual name, or as its one mapping of tensors; else itself."""
    for holder in HOLDERS:
        if isinstance(found := content.get(holder), Mapping):
            return found
    values = content.values()
    held = [value for value in values if isinstance(value, Mapping) and _is_of_tensors(value)]
    alone = len(held) == 1 and not any(isinstance(value, Tensor) for value in values)
    return held[0] if alone else content


def _is_of_tensors(content: Mapping[object, object]) -> bool:
    return len(content) > 0 and all(isinstance(value, Tensor) for value in content.values())


def _loaded(path: Path) -> object:
    try:
        fault = _archive_fault(path)
        if fault is None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of old formats; what they hold is checked
                return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file makes the readers raise almost anything
        code = re.search(r"GLOBAL (\S+)", str(error))
        fault = f"calls for {code[1]}" if code else f"is damaged ({type(error).__name__})"
    raise AtlasError(
        f"{path} cannot be read as plain tensors: it {fault}.",
        fix="Save its state_dict as .safetensors where you trust it, or download it again.",
    )


def _archive_fault(path: Path) -> str | None:
    """What torch.save would not have written, said of a file; None where there is nothing.

    Looked for before anything is unpacked: a compressed member may be a thousand times its size.
    """
    with path.open("rb") as file:
        if file.read(len(ZIP_START)) != ZIP_START:
            return None
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
    if any(member.filename.endswith("/constants.pkl") for member in members):
        return "is a TorchScript program"
    for member in members:
        if member.compress_type != zipfile.ZIP_STORED:
            return f"has a compressed member {member.filename}, which torch never writes"
    if sum(member.file_size for member in members) > path.stat().st_size:
        return "has members that overlap, which torch never writes"
    return None
