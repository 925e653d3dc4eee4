"""Names of classes: readable ones for WordNet ids (`n01440764`), an adopted network's own."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from pipeline.dataset.class_names import ClassNames
from pipeline.sources.protocol import Candidate
from pipeline.sources.rejected import Rejection


def renamed(
    found: Sequence[Candidate | Rejection], names: Mapping[str, str]
) -> list[Candidate | Rejection]:
    """The candidates with the readable name of their class; one without a name keeps its id.

    Two classes of ImageNet are cranes and two are maillots: such names carry their id.
    """
    ids = {item.label for item in found if isinstance(item, Candidate)}
    times = Counter(names.get(wnid, wnid) for wnid in ids)
    labels = {wnid: names.get(wnid, wnid) for wnid in ids}
    labels |= {wnid: f"{name} ({wnid})" for wnid, name in labels.items() if times[name] > 1}
    return [
        replace(item, label=labels[item.label]) if isinstance(item, Candidate) else item
        for item in found
    ]


def as_network_names(
    found: Sequence[Candidate | Rejection], classes: ClassNames
) -> list[Candidate | Rejection]:
    """The candidates with the names that a network gives their classes; others keep theirs."""
    labels = {item.label for item in found if isinstance(item, Candidate)}
    meant = {label: classes.meant_by(label) or label for label in labels}
    return [
        replace(item, label=meant[item.label]) if isinstance(item, Candidate) else item
        for item in found
    ]
