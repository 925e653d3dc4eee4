"""A trained network: its weights in a torch module, read from a model folder and written to one."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from safetensors.torch import save_file
from torch import Tensor

from pipeline.errors import AtlasError
from pipeline.network.card import (
    CARD,
    GRAPH,
    INPUT_MEAN,
    RETRAIN,
    ModelCard,
    check_snapshot,
    check_weights,
    kept_snapshots,
    load_card,
    snapshot_path,
    weights_path,
)
from pipeline.network.graph import Graph
from pipeline.network.graph_file import to_json
from pipeline.network.module import Network, empty_network
from pipeline.network.normalisation import Colours, Normalisation
from pipeline.network.weights_file import check_values, read_weights
from pipeline.storage.hashing import sha256_of
from pipeline.storage.sealed import content_sha256, write_sealed


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

    def input_of(self, square: UInt8[np.ndarray, "crop crop 3"]) -> Float32[Tensor, "3 crop crop"]:
        """The network input of an image's pixels."""
        return self.normalisation(torch.from_numpy(square.copy()).permute(2, 0, 1)[None])[0]


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
    path = weights_path(folder)
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


def load_model(folder: Path, snapshot: int | None = None) -> Model:
    """Read a model folder: the network in eval mode on the CPU.

    With `snapshot`, as it was after that many epochs, 0 being the start; its card then has the
    hash of those weights.

    Raises AtlasError where a file is missing or damaged or the weights do not fit the card.
    """
    card = load_card(folder)
    path = weights_path(folder)
    if snapshot is not None:
        path = snapshot_path(folder, snapshot)
        signed: dict[str, object] = {"weights_sha256": check_snapshot(folder, card, snapshot)}
        signed |= {"epochs_trained": snapshot}
        card = card.model_copy(update=signed)
    weights = read_weights(path)
    if snapshot is None:
        check_weights(folder, card)
    mean = _mean(card, weights, path)
    weights.pop(INPUT_MEAN, None)  # a snapshot holds it even where the card does
    network = empty_network(card.graph())
    check_fit(network, weights, path, fix=RETRAIN)
    network.load_state_dict(weights, assign=True)
    normalisation = Normalisation(mean, torch.tensor(card.scale).reshape(-1, 1, 1))
    return Model(card, network.eval().requires_grad_(False), normalisation)


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
