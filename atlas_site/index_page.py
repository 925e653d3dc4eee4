"""Facts about the run on the first page, as rows of names and values."""

import math
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from atlas_site.catalogue import Catalogue
from atlas_site.charts import Chart, curves
from atlas_site.layer_groups import FEW
from atlas_site.layers import LayerView
from atlas_site.templating import powers_of_ten
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


@dataclass(frozen=True)
class StartFact:
    """The share of a layer's filters that is still their start."""

    layer: LayerView
    still: int
    """Filters that are still their start."""
    counts: list[int]
    """Filters by tenth of the |cosine|."""

    @property
    def bars(self) -> list[float]:
        """The same as heights, the fullest being 1."""
        most = max(self.counts)
        return [count / most for count in self.counts]


METHODS = {
    "deconvnet": "Projected by the deconvnet",
    "guided": "Projected by guided backpropagation",
    "gradient": "Projected by the gradient",
}


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
    errors = atlas.report("evaluate")
    if isinstance(errors.get("top1_error"), float | int):
        figures.append(Headline(_percent(errors["top1_error"]), "top-1 error, one crop"))
    return figures


def error_rates(catalogue: Catalogue) -> list[Fact]:
    """What `evaluate` measured; empty where it has not run."""
    report = catalogue.atlas.report("evaluate")
    names = {
        "top1_error": "top-1 error, one crop",
        "top5_error": "top-5 error, one crop",
        "top1_error_10crop": "top-1 error, ten crops",
        "top5_error_10crop": "top-5 error, ten crops",
        "mean_class_accuracy": "mean accuracy per class",
    }
    return [Fact(text, _percent(report[key])) for key, text in names.items() if key in report]


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
        Fact("width", f"{card.width:g} of the paper's"),
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


def charts(catalogue: Catalogue) -> list[Chart]:
    """Error and loss over the epochs, where there is a history."""
    history = [record.columns() for record in catalogue.atlas.history()]
    found = [
        curves(
            "Top-1 error",
            history,
            {"train_top1_error": "training", "val_top1_error": "validation"},
        ),
        curves("Loss", history, {"train_loss": "training", "val_loss": "validation"}),
        curves(
            "Dead channels",
            history,
            {f"dead_{layer.name}": layer.name for layer in catalogue.layers},
        ),
        curves(
            "Still the start: median |cosine| of the filters",
            history,
            {f"start_cosine_{layer.name}": layer.name for layer in catalogue.layers},
        ),
    ]
    return [chart for chart in found if chart]


def start_facts(catalogue: Catalogue) -> dict[str, StartFact]:
    """By layer how much of the filters is still their start; empty where that is not known."""
    return {
        layer.name: StartFact(
            layer=layer,
            still=sum(channel.still_start for channel in layer.channels),
            counts=_tenths([c.start_cosine for c in layer.channels if c.start_cosine is not None]),
        )
        for layer in catalogue.layers
        if layer.start_cosine is not None
    }


STARTS = {
    "normal": "drawn from one normal distribution",
    "he": "drawn by He’s rule",
    "patches": "drawn by He’s rule, in the first layer with the covariance of the training images’"
    " own patches",
}


def recipe(catalogue: Catalogue) -> str:
    """Which start and decay the run had, in words; empty for a network from elsewhere."""
    if catalogue.atlas.card.origin is not None:
        return ""
    train = catalogue.atlas.params.train
    start = STARTS[train.init] + (", then taken from a file where it fits" * bool(train.init_from))
    decay = f"Its filters were {start}; weight decay {train.weight_decay:g}"
    if not train.start_decay:
        return f"{decay}, none on the start alone."
    after = f" from epoch {train.start_decay_after + 1} on," if train.start_decay_after else ""
    return (
        f"{decay}, and start_decay {train.start_decay:g}{after} on what is left of the start above"
        " the first layer. That penalty lowers the cosine by itself: a low one is then no proof of"
        " learning; the error, the dead channels and the pictures are."
    )


def low_frequency(catalogue: Catalogue) -> str:
    """The median share of the first layer's filters' energy at low frequencies; may be empty."""
    report = catalogue.atlas.training_report()
    spread = None if report is None else report.conv1_low_frequency
    return "" if spread is None else _percent(spread.median)


def _tenths(cosines: list[float]) -> list[int]:
    """How many filters are in each tenth from 0 to 1."""
    counts = [0] * 10
    for cosine in cosines:
        counts[min(9, int(10 * cosine))] += 1
    return counts


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.1f} %" if math.isfinite(fraction) else "not known"


@dataclass(frozen=True)
class LayerCheck:
    """Findings of `verify` in one layer."""

    entries: str
    worst: str


@dataclass(frozen=True)
class Verified:
    """The result of `verify` for this atlas."""

    headline: str
    """How many entries of how many were recomputed, and the worst error."""
    faults: int
    sentence: str
    layers: Mapping[str, LayerCheck]


def verified(catalogue: Catalogue) -> Verified | None:
    """The verify figure; None where that stage has not run."""
    report = catalogue.atlas.report("verify")
    if not report:
        return None
    layers = {
        name: LayerCheck(
            entries=f"{found.get('entries', 0):,}",
            worst=powers_of_ten(found.get("worst_projection_error", math.nan)),
        )
        for name, found in report.get("layers", {}).items()
    }
    return Verified(
        headline=_headline(catalogue, report),
        faults=int(report.get("faults", 0)),
        sentence=_sentence(report),
        layers=layers,
    )


def _headline(catalogue: Catalogue, report: Mapping[str, Any]) -> str:
    shown = sum(channel.entries for layer in catalogue.layers for channel in layer.channels)
    entries, faults = int(report.get("entries", 0)), int(report.get("faults", 0))
    errors = [
        float(found["worst_projection_error"])
        for found in report.get("layers", {}).values()
        if math.isfinite(found.get("worst_projection_error", math.nan))
    ]
    result = f"{faults:,} are faulty" if faults else "all agree"
    worst = f", worst relative error {powers_of_ten(max(errors))}" if errors else ""
    return (
        f"Verified: {entries:,} of the {shown:,} entries shown were recomputed from their image"
        f" files by a slow reference; {result}{worst}."
    )


def _sentence(report: Mapping[str, Any]) -> str:
    entries, faults = int(report.get("entries", 0)), int(report.get("faults", 0))
    tied = int(report.get("tied", 0))
    sentence = (
        f"{entries:,} entries, drawn at random, were recomputed from their image files by a slow "
    )
    sentence += "reference. "
    sentence += f"{faults:,} faults were found." if faults else "None is wrong."
    if tied:
        sentence += f" {tied:,} differ only where values are equal up to rounding."
    return sentence
