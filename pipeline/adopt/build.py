"""A module, made by code from elsewhere and given its weights; no other place runs such code."""

import contextlib
import importlib
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from torch import Tensor, nn

from pipeline.adopt.eager import eager, forget_runs
from pipeline.adopt.external_weights import read_tensors, unwrapped
from pipeline.adopt.module_weights import check_kinds, load_file
from pipeline.adopt.preprocessing import Preprocessing, of_timm, of_torchvision
from pipeline.adopt.spec import Spec
from pipeline.dataset.class_names import ClassNames
from pipeline.errors import AtlasError
from pipeline.network.weights_file import SUFFIXES
from pipeline.storage.hashing import sha256_of


@dataclass(frozen=True)
class Built:
    """A module with its weights, in eval mode, and what is known of its inputs and outputs."""

    module: nn.Module
    preprocessing: Preprocessing | None
    """As its weights were trained; None where nothing says it."""
    classes: ClassNames | None
    """The classes of its scores; None where nothing says them."""
    weights_sha256: str | None
    """Of the weights file."""


def build(spec: Spec, seed: int) -> Built:
    """Make the module of a spec. Raises AtlasError where that fails, with the reason in one line.

    `seed` decides weights that the function draws.
    """
    if spec.file is None and spec.weights is not None and spec.maker != "torchvision":
        raise AtlasError(
            f"{spec.weights!r} is not a weights file, and only torchvision's weights have names.",
            fix=f"Name a file that ends in {', '.join(SUFFIXES)}.",
        )
    torch.manual_seed(seed)
    makers: dict[str, Callable[[Spec], Built]] = {"torchvision": _torchvision, "timm": _timm}
    with _own_code(spec), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        built = makers.get(spec.maker, _function)(spec)
        _check_watched(spec, built.module)
    built.module.eval().requires_grad_(False).float()
    forget_runs(built.module)
    return built


@contextlib.contextmanager
def _own_code(spec: Spec) -> Iterator[None]:
    """Let `nets` be imported from the spec's folder, and turn what its code raises into words."""
    folder = str(spec.root.resolve())
    for name in [name for name in sys.modules if name.partition(".")[0] == "nets"]:
        del sys.modules[name]
    importlib.invalidate_caches()
    sys.path.insert(0, folder)
    try:
        yield
    except AtlasError:
        raise
    except SystemExit as error:
        raise AtlasError(
            f"{spec.arch} could not be made: its code ended the program, exit({error.code!r}).",
            fix="Correct the function or its --arguments, and let it return the module.",
        ) from error
    except Exception as error:  # the user's own code may raise anything
        reason = " ".join(str(error).split())
        raise AtlasError(
            f"{spec.arch} could not be made: {type(error).__name__}: {reason}.",
            fix="Correct the function or its --arguments.",
        ) from error
    finally:
        sys.path.remove(folder)


def _check_watched(spec: Spec, module: nn.Module) -> None:
    """Raise AtlasError where a part of a module is made by a file that lies beside `nets/`."""
    names = {spec.maker, *(type(part).__module__ for part in module.modules())}
    for top in sorted({name.partition(".")[0] for name in names} - {"nets"}):
        made = sys.modules.get(top)
        places = [*getattr(made, "__path__", []), getattr(made, "__file__", None)]
        if places[0] is not None and Path(places[0]).resolve().parent == spec.root.resolve():
            raise AtlasError(
                f"{top} is beside the folder nets/, where DVC does not see it change.",
                fix=f"Move it to nets/ and name it nets.{top}.",
            )


def _function(spec: Spec) -> Built:
    made = _attribute(spec)(**spec.arguments)
    if not isinstance(made, nn.Module):
        raise AtlasError(
            f"{spec.arch} made a {type(made).__name__}, not a torch.nn.Module.",
            fix="Return the module itself.",
        )
    made = eager(made, spec.arch)
    sha256 = load_file(made, spec)
    config = getattr(made, "pretrained_cfg", None)
    known = of_timm(config) if isinstance(config, dict) else (None, None)
    return Built(made, *known, sha256)


def _attribute(spec: Spec) -> Any:
    try:
        found: Any = importlib.import_module(spec.maker)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{spec.maker}.".startswith(f"{error.name}."):
            raise
        raise AtlasError(
            f"There is no module {spec.maker!r} to take {spec.name!r} from.",
            fix="Put it in the folder nets/ and name it nets.FILE:FUNCTION, or install it.",
        ) from None
    for part in spec.name.split("."):
        if not hasattr(found, part):
            raise AtlasError(
                f"{spec.maker} has no {spec.name!r}.", fix="Correct what is after the colon."
            )
        found = getattr(found, part)
    return found


def _timm(spec: Spec) -> Built:
    try:
        timm = importlib.import_module("timm")
    except ModuleNotFoundError:
        raise AtlasError("timm is not installed.", fix="Run `uv pip install timm`.") from None
    module = timm.create_model(spec.name, pretrained=False, **spec.arguments)
    sha256 = load_file(module, spec)
    # Random weights were trained on no images, however those were cut.
    cut = {} if spec.file else {"crop_mode": "center"}
    return Built(module, *of_timm(module.pretrained_cfg | cut), sha256)


def _torchvision(spec: Spec) -> Built:
    models = importlib.import_module("torchvision.models")
    if spec.name not in models.list_models():
        raise AtlasError(
            f"torchvision has no model {spec.name!r}.",
            fix="`python -c 'import torchvision as t; print(t.models.list_models())'` lists them.",
        )
    known = models.get_model_weights(spec.name)
    if spec.weights is None:
        return Built(models.get_model(spec.name, **spec.arguments), None, None, None)
    if spec.file is None:
        named = _named_weights(spec, known)
        module = _with_named_weights(spec, named, _downloaded(spec, named))
        return Built(module, *of_torchvision(named), None)
    return _torchvision_from_file(spec, spec.file, known)


def _named_weights(spec: Spec, known: Any) -> Any:
    if spec.weights not in known.__members__:
        raise AtlasError(
            f"{spec.arch} has no weights {spec.weights!r}.",
            fix=f"Name one of {', '.join(known.__members__)}, or a file.",
        )
    return known[spec.weights]


def _torchvision_from_file(spec: Spec, file: Path, known: Any) -> Built:
    """A file that bears the name of a download is that; another is for the plain architecture."""
    for named in known:
        if named.url.rpartition("/")[2] == file.name:
            module = _with_named_weights(spec, named, file)
            return Built(module, *of_torchvision(named), sha256_of(file))
    module = importlib.import_module("torchvision.models").get_model(spec.name, **spec.arguments)
    sha256 = load_file(module, spec)
    preprocessing, classes = of_torchvision(known.DEFAULT)
    fits = classes is not None and _outputs(module) == len(classes.names)
    return Built(module, preprocessing, classes if fits else None, sha256)


def _with_named_weights(spec: Spec, named: Any, file: Path) -> nn.Module:
    """The module as torchvision makes it for these weights, which are read without pickle.

    Some networks have other parts with weights than without (an input that they rescale), so
    torchvision has to make it; its own reader would execute what a file holds.
    """
    models = importlib.import_module("torchvision.models")
    with torch.device("meta"):
        known = models.get_model(spec.name, **spec.arguments).state_dict().keys()
    tensors = unwrapped(read_tensors(file), known, file)

    def read(*_: object, **__: object) -> dict[str, Tensor]:
        return dict(tensors)

    with mock.patch.object(type(named), "get_state_dict", read):
        module: nn.Module = models.get_model(spec.name, weights=named, **spec.arguments)
    check_kinds(module.state_dict(), tensors, spec, file)
    return module


def _downloaded(spec: Spec, named: Any) -> Path:
    """The file of torchvision's weights, downloaded where it is not there yet."""
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    path: Path = folder / named.url.rpartition("/")[2]
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        try:
            hash_prefix = path.stem.rpartition("-")[2]
            torch.hub.download_url_to_file(named.url, str(path), hash_prefix)
        except OSError as error:
            reason = getattr(error, "reason", error)
            raise AtlasError(
                f"The weights {spec.weights} of {spec.arch} could not be downloaded: {reason}.",
                fix=f"Fetch {named.url} where there is a network and pass it with --weights.",
            ) from None
    return path


def _outputs(module: nn.Module) -> int:
    """Features of the last linear layer or convolution."""
    last = [m for m in module.modules() if isinstance(m, nn.Linear | nn.Conv2d)][-1]
    return len(last.weight)
