"""Names of classes: readable ones for WordNet ids (`n01440764`), an adopted network's own."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from pipeline.dataset.class_names import ClassNames
from pipeline.sources.protocol import Located


def renamed(found: Located, names: Mapping[str, str]) -> Located:
    """The images with the readable name of their class; one without a name keeps its id.

    Two classes of ImageNet are cranes and two are maillots: such names carry their id.
    """
    ids = {item.label for item in found.candidates}
    times = Counter(names.get(wnid, wnid) for wnid in ids)
    labels = {wnid: names.get(wnid, wnid) for wnid in ids}
    labels |= {wnid: f"{name} ({wnid})" for wnid, name in labels.items() if times[name] > 1}
    candidates = [replace(item, label=labels[item.label]) for item in found.candidates]
    return replace(found, candidates=candidates)


def as_network_names(found: Located, classes: ClassNames) -> Located:
    """The images with the names that a network gives their classes; others keep theirs."""
    meant = {label: classes.meant_by(label) for label in {c.label for c in found.candidates}}
    candidates = [replace(item, label=meant[item.label] or item.label) for item in found.candidates]
    return replace(found, candidates=candidates)
