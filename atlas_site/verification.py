"""The findings of `verify` on the first page."""

from collections.abc import Mapping
from dataclasses import dataclass

from atlas_site.catalogue import Catalogue
from atlas_site.templating import powers_of_ten
from pipeline.atlas import VerificationReport


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
    report = catalogue.atlas.reports.verification()
    if report is None:
        return None
    return Verified(
        headline=_headline(catalogue, report),
        faults=report.faults,
        sentence=_sentence(report),
        layers={
            name: LayerCheck(
                f"{layer.count.entries:,}", powers_of_ten(layer.worst_projection_error)
            )
            for name, layer in report.layers.items()
        },
    )


def _headline(catalogue: Catalogue, report: VerificationReport) -> str:
    shown = sum(channel.entries for layer in catalogue.layers for channel in layer.channels)
    result = f"{report.faults:,} are faulty" if report.faults else "all agree"
    error = report.worst_projection_error
    worst = "" if error is None else f", worst relative error {powers_of_ten(error)}"
    return (
        f"Verified: {report.count.entries:,} of the {shown:,} entries shown were recomputed from"
        f" their image files by a slow reference; {result}{worst}."
    )


def _sentence(report: VerificationReport) -> str:
    sentence = (
        f"{report.count.entries:,} entries, drawn at random, were recomputed from their image files"
        " by a slow reference. "
    )
    sentence += f"{report.faults:,} faults were found." if report.faults else "None is wrong."
    if report.count.tied:
        sentence += f" {report.count.tied:,} differ only where values are equal up to rounding."
    return sentence
