"""Facts about the run on the first page, as rows of names and values."""

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from atlas_site.catalogue import Catalogue
from atlas_site.layer_groups import FEW
from atlas_site.templating import percent_to_tenths
from pipeline.atlas import Graph, LocalResponseNorm

SHORT_HASH = 12


@dataclass(frozen=True)
class Fact:
    """A name and its value; `whole` is the uncut value where `value` is short for it."""

    name: str
    value: str
    whole: str = ""


@dataclass(frozen=True)
class Headline:
    """A large number with what it counts."""

    value: str
    caption: str


NAMES = {
    "deconvnet": "the deconvolutional network of Zeiler & Fergus",
    "guided": "guided backpropagation (Springenberg et al. 2015)",
    "gradient": "the gradient",
}
RULES = {
    "deconvnet": "a ReLU keeps what is positive",
    "guided": "an activation function keeps what is positive and multiplies it by its slope there",
    "gradient": "an activation function multiplies it by its slope there",
}


@dataclass(frozen=True)
class MethodUsed:
    """A method of projection that some layer uses."""

    name: str
    title: str
    """Its name in a sentence."""
    rule: str
    """What it does at an activation function."""


def methods_used(catalogue: Catalogue) -> list[MethodUsed]:
    """The methods of the layers."""
    used = {layer.projected.method for layer in catalogue.layers}
    return [MethodUsed(name, NAMES[name], RULES[name]) for name in NAMES if name in used]


def has_local_response_norm(graph: Graph) -> bool:
    """Whether a projection passes one on its way down."""
    return any(isinstance(node.op, LocalResponseNorm) for node in graph.nodes)


def summary(catalogue: Catalogue) -> list[Headline]:
    """The numbers at the head of the page."""
    atlas = catalogue.atlas
    figures = [
        Headline(f"{catalogue.channel_count:,}", f"channels in {len(catalogue.layers)} layers"),
        Headline(f"{len(atlas.images):,}", "validation images searched"),
        Headline(f"{len(atlas.card.classes):,}", "classes"),
    ]
    rates = atlas.reports.error_rates()
    if rates is not None and rates.top1_error is not None:
        figures.append(Headline(percent_to_tenths(rates.top1_error), "top-1 error, one crop"))
    return figures


def error_rate_facts(catalogue: Catalogue) -> list[Fact]:
    """What `evaluate` measured; empty where it has not run."""
    rates = catalogue.atlas.reports.error_rates()
    if rates is None:
        return []
    named = {
        "top-1 error, one crop": rates.top1_error,
        "top-5 error, one crop": rates.top5_error,
        "top-1 error, ten crops": rates.top1_error_10crop,
        "top-5 error, ten crops": rates.top5_error_10crop,
        "mean accuracy per class": rates.mean_class_accuracy,
    }
    return [Fact(name, percent_to_tenths(rate)) for name, rate in named.items() if rate is not None]


def model_facts(catalogue: Catalogue) -> list[Fact]:
    """The network and its input."""
    card = catalogue.atlas.card
    return [
        Fact("architecture", _ARCHITECTURES.get(card.arch, card.arch)),
        *_training_facts(catalogue),
        Fact("input", f"{card.crop} × {card.crop} pixels, RGB"),
        Fact("resize", f"shortest side to {card.resize}, then the centre square"),
        Fact("normalisation", f"(pixel − {_mean(card.mean)}) × {_scale(card.scale)}"),
        _layers_fact([layer.name for layer in catalogue.layers]),
    ]


def _layers_fact(names: list[str]) -> Fact:
    """The names of few layers; of many, the first, the last and how many."""
    every = ", ".join(names)
    if len(names) <= FEW:
        return Fact("layers", every)
    return Fact("layers", f"{len(names)}: {names[0]} … {names[-1]}", every)


_ARCHITECTURES = {
    "zfnet": "ZFNet",
    "alexnet": "AlexNet",
    "alexnet-torchvision": "torchvision's AlexNet",
}


def _training_facts(catalogue: Catalogue) -> list[Fact]:
    card = catalogue.atlas.card
    if card.origin is not None:
        versions = ", ".join(f"{name} {number}" for name, number in card.origin.versions.items())
        return [Fact("weights", card.origin.weights or "the module's own"), Fact("from", versions)]
    return [
        Fact("width", f"{card.variant.width:g} of the paper's"),
        Fact("epochs trained", str(card.epochs_trained)),
    ]


def _scale(scale: float | tuple[float, float, float]) -> str:
    if isinstance(scale, tuple):
        return "(" + ", ".join(f"{value:.4g}" for value in scale) + ")"
    return f"{scale:.4g}"


def _mean(mean: object) -> str:
    if isinstance(mean, tuple):
        return "(" + ", ".join(f"{value:.1f}" for value in mean) + ")"
    return "the mean image"


def data_facts(catalogue: Catalogue) -> list[Fact]:
    """The data set."""
    atlas = catalogue.atlas
    return [
        Fact("source", atlas.params.data.source),
        Fact("training images", f"{len(atlas.manifest.split('train')):,}"),
        Fact("validation images", f"{len(atlas.images):,}"),
        Fact("images in this atlas", f"{len(catalogue.images):,}"),
        Fact("classes", f"{len(atlas.card.classes):,}"),
    ]


def provenance(catalogue: Catalogue) -> list[Fact]:
    """What the atlas was made from; the same for every store that was read."""
    atlas = catalogue.atlas
    return [
        _hash("weights", atlas.provenance.weights_sha256),
        _hash("manifest", atlas.provenance.manifest_sha256),
        Fact("seed", str(atlas.card.seed)),
        Fact("feature-atlas", version("feature-atlas")),
        Fact("torch", version("torch")),
        Fact("Python", platform.python_version()),
    ]


def _hash(name: str, value: str) -> Fact:
    return Fact(f"{name} sha256", f"{value[:SHORT_HASH]}…", value)


def parameters(catalogue: Catalogue) -> list[Fact]:
    """Every parameter of params.yaml, in its order."""
    return _flat(catalogue.atlas.params.model_dump(mode="json"), "")


def _flat(section: Mapping[str, Any], prefix: str) -> list[Fact]:
    facts = []
    for name, value in section.items():
        if isinstance(value, dict) and value:
            facts += _flat(value, f"{prefix}{name}.")
        else:
            facts.append(Fact(f"{prefix}{name}", _parameter(value)))
    return facts


def _parameter(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "none" if value == {} else str(value)
