"""The weights of a run's conv layers as the pages show them, read without torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from pipeline.network.arrays import StoredWeights, stored_start, stored_weights
from pipeline.network.card import ModelCard
from pipeline.network.feeding_kernels import feeding_kernels
from pipeline.network.graph import Graph
from pipeline.network.ops import Conv
from pipeline.network.start_cosine import start_cosine


@dataclass(frozen=True, eq=False)
class ConvWeights:
    """The filters of a model's conv layers, trained and at the start."""

    model_folder: Path
    card: ModelCard
    graph: Graph

    def kernels_from_below(
        self, layer: str, scanned: Sequence[str]
    ) -> dict[str, Float32[np.ndarray, "out in row col"]]:
        """By scanned layer that feeds this one, the filters through which it does."""
        return feeding_kernels(self.graph, self._weights.array, layer, scanned)

    def filters(self, layer: str) -> Float32[np.ndarray, "filter row col channel"]:
        """The weights of a conv layer, input channels last; of the first layer they are colours."""
        op = self.graph.nodes[self.graph.layer(layer).source].op
        assert isinstance(op, Conv)
        return self._weights.array(op.weight).transpose(0, 2, 3, 1)

    def start_cosine(self, layer: str) -> Float32[np.ndarray, " channel"] | None:
        """How much of each filter of a conv layer is still its start: the |cosine| of the two.

        None for a network that was trained elsewhere, and for a layer without filters.
        """
        op = self.graph.nodes[self.graph.layer(layer).source].op
        if self._start is None or not isinstance(op, Conv):
            return None
        return start_cosine(self._weights.array(op.weight), self._start.array(op.weight))

    @cached_property
    def _weights(self) -> StoredWeights:
        return stored_weights(self.model_folder, self.card)

    @cached_property
    def _start(self) -> StoredWeights | None:
        return stored_start(self.model_folder, self.card)
