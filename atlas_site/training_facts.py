"""How the network was trained, and how much of its filters is still their start."""

from dataclasses import dataclass

from atlas_site.catalogue import Catalogue
from atlas_site.charts import Chart, curves
from atlas_site.layers import LayerView
from atlas_site.templating import percent_to_tenths


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


def charts(catalogue: Catalogue) -> list[Chart]:
    """Error and loss over the epochs, where there is a history."""
    history = [record.columns() for record in catalogue.atlas.reports.history()]
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
    report = catalogue.atlas.reports.training()
    spread = None if report is None else report.conv1_low_frequency
    return "" if spread is None else percent_to_tenths(spread.median)


def _tenths(cosines: list[float]) -> list[int]:
    """How many filters are in each tenth from 0 to 1."""
    counts = [0] * 10
    for cosine in cosines:
        counts[min(9, int(10 * cosine))] += 1
    return counts
