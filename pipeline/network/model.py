"""A trained network on disk: `weights.safetensors` and the card that says how to use it."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, PrivateAttr, ValidationError
from safetensors.torch import save_file
from torch import Tensor

from pipeline.errors import AtlasError
from pipeline.network.architectures import Variant, build_chain
from pipeline.network.graph import Graph
from pipeline.network.graph_file import from_json, to_json
from pipeline.network.module import Network, empty_network
from pipeline.network.normalisation import Colours, Normalisation
from pipeline.network.weights_file import RETRAIN, Tensors, check_values, read_weights
from pipeline.params import Interpolation
from pipeline.storage.hashing import sha256_of
from pipeline.storage.sealed import SEAL, content_sha256, read_sealed, write_sealed
from pipeline.storage.stores import Provenance

INPUT_MEAN = "input_mean"
CARD = "model.json"
GRAPH = "graph.json"


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
    width: float = 1.0
    conv_channels: dict[str, int] = {}
    fc_features: int = 4096
    without: tuple[str, ...] = ()
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
        """How an image becomes a square, as `pipeline.dataset.images.square` takes it."""
        return self.resize, self.crop, self.interpolation or "bilinear"

    def graph(self) -> Graph:
        """The network, without dropout."""
        if self._read is not None:
            return self._read
        variant = Variant(self.width, self.conv_channels, self.fc_features, self.without, 0.0)
        return build_chain(self.arch, len(self.classes), self.crop, variant)


@dataclass(frozen=True)
class Model:
    """A trained network, in eval mode, with its input's normalisation."""

    card: ModelCard
    network: Network
    normalisation: Normalisation

    @property
    def graph(self) -> Graph:
        """The network's description."""
        return self.network.graph


def save_model(
    folder: Path,
    card: ModelCard,
    weights: dict[str, Float[Tensor, "..."]],
    graph: Graph | None = None,
) -> ModelCard:
    """Write weights and card into an existing folder; return the card with their hashes.

    `weights` holds the network's tensors and, where the card says so, `input_mean`. An adopted
    network's `graph` is written too, and snapshots that the folder holds already are named.
    """
    path = folder / "weights.safetensors"
    save_file({name: t.detach().cpu().contiguous() for name, t in weights.items()}, path)
    snapshots = {n: snapshot_path(folder, n) for n in kept_snapshots(folder)}
    hashes: dict[str, object] = {
        "weights_sha256": sha256_of(path),
        "snapshots": {epoch: sha256_of(kept) for epoch, kept in snapshots.items()},
    }
    if graph is not None:
        (folder / GRAPH).write_text(to_json(graph), encoding="utf-8")
        hashes["graph_sha256"] = sha256_of(folder / GRAPH)
    signed = card.model_copy(update=hashes)
    facts = signed.model_dump(mode="json", exclude_none=True)
    write_sealed(folder / CARD, facts)
    signed._sha256, signed._read = content_sha256(facts), graph
    return signed


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
        where = ".".join(str(part) for part in fault["loc"])
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
        raise AtlasError(
            f"{path} is not the file that model.json describes: its sha256 differs.",
            fix=RETRAIN,
        )
    return from_json(text, str(path))


def load_model(folder: Path, snapshot: int | None = None) -> Model:
    """Read a model folder: the network in eval mode on the CPU.

    With `snapshot`, as it was after that many epochs, 0 being the start; its card then has the
    hash of those weights.

    Raises AtlasError where a file is missing or damaged or the weights do not fit the card.
    """
    card = load_card(folder)
    path = folder / "weights.safetensors"
    if snapshot is not None:
        path = snapshot_path(folder, snapshot)
        signed: dict[str, object] = {"weights_sha256": _snapshot_sha256(path, card, snapshot)}
        signed |= {"epochs_trained": snapshot}
        card = card.model_copy(update=signed)
    weights = read_weights(path)
    if snapshot is None and sha256_of(path) != card.weights_sha256:
        raise AtlasError(
            f"{path} is not the file that {folder / 'model.json'} describes: its sha256 differs.",
            fix=RETRAIN,
        )
    mean = _mean(card, weights, path)
    weights.pop(INPUT_MEAN, None)  # a snapshot holds it even where the card does
    network = empty_network(card.graph())
    check_fit(network, weights, path, fix=RETRAIN)
    network.load_state_dict(weights, assign=True)
    normalisation = Normalisation(mean, torch.tensor(card.scale).reshape(-1, 1, 1))
    return Model(card, network.eval().requires_grad_(False), normalisation)


def read_snapshot(folder: Path, card: ModelCard, epoch: int) -> Tensors:
    """The tensors of a snapshot, its mean included; none where there is no such one.

    Raises AtlasError where it is not the file that the card names.
    """
    path = snapshot_path(folder, epoch)
    if epoch not in card.snapshots and not path.exists():
        return {}
    _snapshot_sha256(path, card, epoch)
    return read_weights(path)


def _snapshot_sha256(path: Path, card: ModelCard, epoch: int) -> str:
    """The hash of a snapshot.

    Raises AtlasError where it is not the one that the card names, or naming those that there are
    where it is missing.
    """
    if not path.exists():
        kept = ", ".join(map(str, kept_snapshots(path.parents[1]))) or "none"
        raise AtlasError(
            f"There is no {path}; the epochs kept are {kept}.",
            fix="Choose one of these, or add the epoch to train.snapshots and run `dvc repro "
            "train`.",
        )
    found = sha256_of(path)
    if card.snapshots.get(epoch, found) != found:
        raise AtlasError(
            f"{path} is not the file that model.json describes: its sha256 differs.", fix=RETRAIN
        )
    return found


def _mean(card: ModelCard, weights: dict[str, Float[Tensor, "..."]], path: Path) -> Colours:
    """Take the mean out of the weights, or off the card."""
    if card.mean != INPUT_MEAN:
        return torch.tensor(card.mean, dtype=torch.float32).reshape(3, 1, 1)
    if INPUT_MEAN not in weights:
        raise AtlasError(f"{path} holds no tensor {INPUT_MEAN!r}.", fix="Restore or retrain it.")
    mean = weights.pop(INPUT_MEAN)
    if tuple(mean.shape) != (3, card.crop, card.crop):
        raise AtlasError(
            f"{path}: {INPUT_MEAN} is {tuple(mean.shape)}, not (3, {card.crop}, {card.crop}).",
            fix=RETRAIN,
        )
    check_values({INPUT_MEAN: mean}, path, RETRAIN)
    return mean


def check_fit(
    network: Network, weights: dict[str, Float[Tensor, "..."]], path: Path, fix: str
) -> None:
    """Raise AtlasError naming every tensor that is missing, of another shape, or too many.

    Then those that hold anything but finite real numbers.
    """
    expected = {name: tuple(t.shape) for name, t in network.state_dict().items()}
    given = {name: tuple(t.shape) for name, t in weights.items()}
    faults = [
        f"{name} is {given.get(name, 'missing')}, not {shape}"
        for name, shape in expected.items()
        if given.get(name) != shape
    ]
    faults += [f"{name} {given[name]} is not part of it" for name in given.keys() - expected.keys()]
    if faults:
        raise AtlasError(f"{path} does not fit the network: {'; '.join(sorted(faults))}.", fix=fix)
    check_values(weights, path, fix)
