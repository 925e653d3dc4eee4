"""A training task, and its result."""

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.dataset.manifest import Manifest
from pipeline.dataset.store import ImageStore
from pipeline.errors import AtlasError
from pipeline.network.architectures import Variant, build_chain
from pipeline.network.graph import Graph
from pipeline.network.module import Network
from pipeline.params import Params
from pipeline.storage.history import EpochRecord


@dataclass(frozen=True)
class TrainingTask:
    """A network and its data; equal tasks end in equal weights on one machine."""

    params: Params
    manifest: Manifest
    images: ImageStore
    init_weights: Path | None
    """Weights file to start from."""

    @property
    def variant(self) -> Variant:
        """How the network differs from the paper's, without dropout."""
        return Variant(**self.params.own_model.model_dump(exclude={"arch"}), dropout=0.0)

    def graph(self) -> Graph:
        """The network's description, with dropout. Raises AtlasError without classes to learn."""
        if not self.manifest.classes:
            raise AtlasError(
                "The images have no classes, so there is nothing to train on.",
                fix="Put them into folders by class, or take a trained network with `atlas adopt`.",
            )
        variant = replace(self.variant, dropout=self.params.train.dropout)
        arch, classes = self.params.own_model.arch, len(self.manifest.classes)
        return build_chain(arch, classes, self.params.data.crop, variant)


@dataclass(frozen=True)
class TrainingResult:
    """The result of training: the network and how it came about."""

    network: Network
    mean: Float[Tensor, "3 #crop #crop"]
    epochs: int
    """Whole epochs done."""
    stopped_early: bool
    """Whether it was asked to end before the last epoch."""
    history: tuple[EpochRecord, ...]
    filters: tuple[Float[Tensor, "out in row col"], ...]
    """The first layer's weights after each epoch."""
    start: dict[str, Float[Tensor, "out in row col"]] | None
    """The conv layers' weights before the first step; None of a network trained elsewhere."""


@dataclass(frozen=True)
class ExecutionConfig:
    """The execution of a task; threads and processes may change the last bits of the weights."""

    device: torch.device
    threads: int
    """Threads that decode."""
    cache: bool | None = None
    """Keep decoded pixels on disk; None: where they are read more than once and fit."""
    pixels: Path | None = None
    """The folder for these; None: the state folder of the stage."""
    compiled: bool = False
    """Let torch compile the forward and backward passes."""
    checkpoint_s: float = 30.0
    """Seconds of work that a kill may cost."""
