"""The page of classes: each with its channels, how often it is right, and what it is taken for."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from atlas_site.catalogue import Catalogue
from atlas_site.channels import Channel, strong
from atlas_site.layers import LayerView
from atlas_site.selectivity import preference

SHOWN_LAYERS = 4
"""Layers of which a class shows its strongest channel: the deepest."""
SHOWN_CONFUSIONS = 3
HEATS = 9


@dataclass(frozen=True)
class ClassCard:
    """A class on the page of all."""

    number: int
    name: str
    images: int
    accuracy: float | None
    """The share of its images that is right; None where that is not known."""
    taken_for: tuple[tuple[str, int], ...]
    """The classes that its images are taken for most often, with how many."""
    channels: tuple[Channel, ...]
    """The channel of each of the deepest layers that prefers it most, the deepest first; weak ones
    are left out."""


@dataclass(frozen=True)
class ShadedCount:
    """A cell of the confusion matrix."""

    images: int
    heat: int
    """From 0 for none to 9 for all of the row."""


def class_cards(catalogue: Catalogue) -> list[ClassCard]:
    """All classes, in the order of the class scores."""
    layers = catalogue.layers[::-1][:SHOWN_LAYERS]
    scores = [_scores(catalogue, layer) for layer in layers]
    found, names = catalogue.confusion, catalogue.classes

    def card(number: int) -> ClassCard:
        best = [
            layer.channels[int(np.argmax(score[:, number]))]
            for layer, score in zip(layers, scores, strict=True)
            if number < score.shape[1] and score[:, number].max() > 0
        ]
        confused = [pair for pair in found.pairs if pair.label == number] if found else []
        return ClassCard(
            number=number,
            name=names[number],
            images=catalogue.class_sizes[number],
            accuracy=found.accuracy(number) if found else None,
            taken_for=tuple((names[c.predicted], c.images) for c in confused[:SHOWN_CONFUSIONS]),
            channels=tuple(best),
        )

    return [card(number) for number in range(len(names))]


def _scores(catalogue: Catalogue, layer: LayerView) -> Float64[np.ndarray, "channel class"]:
    """How much each channel prefers each class; −1 for one that is weak or dead."""
    score = preference(catalogue.atlas.scan(layer.name).mean_peak_by_class)
    shown = [channel.number for channel in strong(layer.channels)]
    weak = np.setdiff1d(np.arange(len(score)), shown)
    score[weak] = -1
    return score


def matrix(catalogue: Catalogue) -> list[list[ShadedCount]]:
    """The confusion matrix, a row per label; empty where it is not known or too large to read."""
    rows = catalogue.confusion.rows if catalogue.confusion else []
    return [[ShadedCount(n, -(-HEATS * n // max(1, sum(row)))) for n in row] for row in rows]
