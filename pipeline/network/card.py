"""The card of a trained network, `model.json`: all that a model folder holds but the weights."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    PrivateAttr,
    ValidationError,
    model_serializer,
    model_validator,
)

from pipeline.errors import AtlasError
from pipeline.network.architectures import Variant, build_chain
from pipeline.network.graph import Graph
from pipeline.network.graph_file import from_json
from pipeline.params import Interpolation
from pipeline.storage.hashing import sha256_of
from pipeline.storage.provenance import Provenance
from pipeline.storage.sealed import SEAL, content_sha256, read_sealed

INPUT_MEAN = "input_mean"
CARD = "model.json"
GRAPH = "graph.json"
_VARIANT = ("width", "conv_channels", "fc_features", "without")
"""The variant's fields that the file has; dropout is of training alone."""
RETRAIN = "Restore it, or run `dvc repro train`."


def weights_path(folder: Path) -> Path:
    """The weights of a model folder."""
    return folder / "weights.safetensors"


def snapshot_path(folder: Path, epoch: int) -> Path:
    """The weights that a model folder keeps after an epoch; 0 is the start."""
    return folder / "snapshots" / f"epoch_{epoch:03d}.safetensors"


def kept_snapshots(folder: Path) -> tuple[int, ...]:
    """The epochs after which a model folder keeps the weights, ascending; 0 is the start."""
    files = (folder / "snapshots").glob("epoch_*.safetensors")
    return tuple(sorted(int(file.stem.removeprefix("epoch_")) for file in files))


class Origin(BaseModel):
    """The origin of an adopted network, and how well its graph agrees with it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    arguments: dict[str, str | int | float | bool | None]
    """What the function that made it was called with."""
    weights: str | None = None
    """A name of torchvision's, or a file."""
    weights_file_sha256: str | None = None
    versions: dict[str, str]
    """Of torch and of the packages that its parts come from."""
    sources: dict[str, str]
    """sha256 of the source files of its parts, by Python module."""
    values_agree_to: float
    """Largest difference between the module and its graph, relative to the largest value."""
    projections_agree_to: float
    """The same of projections through both."""


class ModelCard(BaseModel):
    """`model.json`: what is beside the weights."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    arch: str
    variant: Variant = Variant(dropout=0.0)
    """How a network of ours differs from the paper's; the file has its fields one by one."""
    classes: tuple[str, ...]
    """Class names, in the order of fc8's scores."""
    resize: int
    crop: int
    mean: tuple[float, float, float] | Literal["input_mean"]
    """Subtracted from pixels 0…255: per colour, or the tensor of that name (3, crop, crop)."""
    scale: float | tuple[float, float, float]
    """Factor on the difference: one, or per colour."""
    interpolation: Interpolation | None = None
    """How images are resized; None: bilinear."""
    seed: int
    epochs_trained: int
    weights_sha256: str
    manifest_sha256: str
    origin: Origin | None = None
    """Of an adopted network; None: one of this project's, which the card describes."""
    graph_sha256: str | None = None
    """Of graph.json, which describes an adopted network."""
    snapshots: dict[int, str] = {}
    """sha256 of the snapshots that are beside the weights, by epoch."""
    _read: Graph | None = PrivateAttr(None)

    _sha256: str = PrivateAttr("")

    @model_validator(mode="before")
    @classmethod
    def _gather_variant(cls, facts: dict[str, Any]) -> dict[str, Any]:
        rest = {name: value for name, value in facts.items() if name not in _VARIANT}
        own = {name: facts[name] for name in _VARIANT if name in facts}
        return rest | {"variant": own | {"dropout": 0.0}} if own else rest

    @model_serializer(mode="wrap")
    def _spread_variant(self, to_json: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        facts = to_json(self)
        own = facts.pop("variant")
        return {"arch": facts.pop("arch"), **{name: own[name] for name in _VARIANT}, **facts}

    @property
    def sha256(self) -> str:
        """One hash over all that the file says, by which stores know the model."""
        return self._sha256

    @property
    def trained_from(self) -> Provenance:
        """What `reports/train.json` is bound to; of the card, the user may edit the rest."""
        return Provenance(self.weights_sha256, self.manifest_sha256)

    @property
    def framing(self) -> tuple[int, int, Interpolation]:
        """How an image becomes a square, as `pipeline.dataset.framing.centre_square` takes it."""
        return self.resize, self.crop, self.interpolation or "bilinear"

    def graph(self) -> Graph:
        """The network, without dropout."""
        if self._read is not None:
            return self._read
        return build_chain(self.arch, len(self.classes), self.crop, self.variant)


def load_card(folder: Path) -> ModelCard:
    """Read model.json, and graph.json where it names one.

    Raises AtlasError where one is missing or malformed, or is not the file that the other names.
    """
    path = folder / CARD
    if not path.exists():
        raise AtlasError(f"There is no {path}.", fix="Run `dvc repro train`.")
    facts = read_sealed(
        path, fix=f"{RETRAIN} An edit is taken where the line `{SEAL}` is removed.", required=False
    )
    try:
        card = ModelCard.model_validate_json(json.dumps(facts))
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(str(part) for part in fault["loc"] if part != "variant")
        raise AtlasError(
            f"{path}: {f'`{where}`: ' * bool(where)}{fault['msg']}.",
            fix="Run `dvc repro train` to rewrite it.",
        ) from None
    card._sha256 = content_sha256(facts)
    if card.graph_sha256 is not None:
        card._read = _graph(folder / GRAPH, card.graph_sha256)
    return card


def _graph(path: Path, sha256: str) -> Graph:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise AtlasError(f"{path} cannot be read: {error}.", fix="Run `dvc repro train`.") from None
    if hashlib.sha256(text.encode()).hexdigest() != sha256:
        raise _not_the_file(path)
    return from_json(text, str(path))


def check_weights(folder: Path, card: ModelCard) -> None:
    """Raise AtlasError where the weights are not the file that the card names."""
    if sha256_of(weights_path(folder)) != card.weights_sha256:
        raise _not_the_file(weights_path(folder))


def named_snapshots(folder: Path, card: ModelCard) -> tuple[int, ...]:
    """The epochs of the snapshots that the card names, ascending, and of files that it does not,
    as older cards; a file may be missing."""
    return tuple(sorted({*card.snapshots, *kept_snapshots(folder)}))


def start_sha256(folder: Path, card: ModelCard) -> str | None:
    """The hash of the weights at the start; None for a network that was trained elsewhere.

    Raises AtlasError as `check_snapshot` does.
    """
    return check_snapshot(folder, card, 0) if 0 in named_snapshots(folder, card) else None


def check_snapshot(folder: Path, card: ModelCard, epoch: int) -> str:
    """The hash of a snapshot.

    Raises AtlasError where it is not the one that the card names, or where it is missing.
    """
    path = snapshot_path(folder, epoch)
    if not path.exists() and epoch in card.snapshots:
        raise AtlasError(f"There is no {path}, which model.json names.", fix=RETRAIN)
    if not path.exists():
        kept = ", ".join(map(str, kept_snapshots(folder))) or "none"
        raise AtlasError(
            f"There is no {path}; the epochs kept are {kept}.",
            fix="Choose one of these, or add the epoch to train.snapshots and run `dvc repro "
            "train`.",
        )
    found = sha256_of(path)
    if card.snapshots.get(epoch, found) != found:
        raise _not_the_file(path)
    return found


def _not_the_file(path: Path) -> AtlasError:
    return AtlasError(
        f"{path} is not the file that model.json describes: its sha256 differs.", fix=RETRAIN
    )
