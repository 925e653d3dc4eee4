"""Table 3: the paper's two networks and what becomes of them with layers changed or left out."""

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from pipeline.dataset.manifest import Split
from pipeline.errors import AtlasError
from pipeline.network.architectures import parameter_count
from pipeline.params import ModelParams
from pipeline.storage.error_rates import ErrorRates
from pipeline.training.task import ExecutionConfig, TrainingTask
from pipeline.training.trainer import Watch
from pipeline.trials.remembered import Numbers, remembered
from pipeline.trials.trial import rates_of, trained

SPLITS: tuple[Split, ...] = ("train", "val")
ERRORS = tuple(f"{split}_top{top}_error" for split in SPLITS for top in (1, 5))
"""Columns of the table: fractions of a split's images."""
WIDER = {"conv3": 512, "conv4": 1024, "conv5": 512}


@dataclass(frozen=True)
class Ablation:
    """A network of the table."""

    name: str
    arch: Literal["zfnet", "alexnet"]
    paper: Mapping[str, float]
    """The paper's errors on ImageNet, as fractions, by column."""
    conv_channels: Mapping[str, int] = field(default_factory=dict)
    fc_features: int = 4096
    without: tuple[Literal["conv3", "conv4", "fc6", "fc7"], ...] = ()

    def task(self, task: TrainingTask) -> TrainingTask:
        """A run's task with this network in place of its own, at the same width."""
        model = ModelParams(
            arch=self.arch,
            width=task.params.own_model.width,
            conv_channels=dict(self.conv_channels),
            fc_features=self.fc_features,
            without=self.without,
        )
        return replace(task, params=task.params.model_copy(update={"model": model}))


def _paper(train_top1: float, val_top1: float, val_top5: float) -> Mapping[str, float]:
    """Errors in percent, as the paper prints them."""
    return {
        "train_top1_error": train_top1 / 100,
        "val_top1_error": val_top1 / 100,
        "val_top5_error": val_top5 / 100,
    }


ABLATIONS = (
    Ablation("zfnet", "zfnet", _paper(33.1, 38.4, 16.5)),
    Ablation("zfnet-fc2048", "zfnet", _paper(38.2, 40.2, 17.6), fc_features=2048),
    Ablation("zfnet-fc8192", "zfnet", _paper(22.0, 38.8, 17.0), fc_features=8192),
    Ablation("zfnet-wider", "zfnet", _paper(18.8, 37.5, 16.0), WIDER),
    Ablation("zfnet-wider-fc8192", "zfnet", _paper(10.0, 38.3, 16.9), WIDER, fc_features=8192),
    # Its training error is not among the facts at hand; the others are those of Table 2.
    Ablation("alexnet", "alexnet", {"val_top1_error": 0.405, "val_top5_error": 0.181}),
    Ablation("alexnet-no34", "alexnet", _paper(41.8, 45.4, 22.1), without=("conv3", "conv4")),
    Ablation("alexnet-no7", "alexnet", _paper(27.4, 40.0, 18.4), without=("fc7",)),
    Ablation("alexnet-no67", "alexnet", _paper(27.4, 44.8, 22.4), without=("fc6", "fc7")),
    Ablation(
        "alexnet-no3467",
        "alexnet",
        _paper(71.1, 71.3, 50.1),
        without=("conv3", "conv4", "fc6", "fc7"),
    ),
)
"""`wider` has 512, 1024 and 512 channels in conv3 to conv5, `no34` neither conv3 nor conv4."""


@dataclass(frozen=True)
class Result:
    """A row of the table."""

    ablation: Ablation
    numbers: Numbers
    """Parameters, and the errors on one centre crop, by column."""


TrainingBar = Callable[[TrainingTask, str], AbstractContextManager[Watch]]
"""Opens the bar of a training run, with a title, and gives what updates it."""


def ablate(
    task: TrainingTask, config: ExecutionConfig, state: Path, bar: TrainingBar
) -> Iterator[Result]:
    """Train and measure the networks one after the other; each result as soon as it is there.

    Those that an interrupted call has measured are not trained again. Raises AtlasError before the
    first training where there are no validation images, or a network does not fit the input.
    """
    if not task.manifest.split("val"):
        raise AtlasError(
            "The manifest lists no validation image.", fix="Add some, then run `dvc repro prepare`."
        )
    tasks = [(ablation, ablation.task(task)) for ablation in ABLATIONS]
    for _, own in tasks:
        own.graph()
    shared = replace(config, pixels=state / "pixels")  # decoded once for all networks
    (state / "pixels").mkdir(exist_ok=True)
    for ablation, own in tasks:

        def measure(folder: Path, own: TrainingTask = own, name: str = ablation.name) -> Numbers:
            with bar(own, name) as watch:
                model = trained(own, shared, folder, watch)
            errors = {split: rates_of(model, own, split, shared) for split in SPLITS}
            return {"parameters": parameter_count(model.graph)} | _columns(errors)

        yield Result(ablation, remembered(state, ablation.name, measure))


def _columns(errors: Mapping[Split, ErrorRates]) -> Numbers:
    """Errors on one centre crop, by column."""
    numbers: Numbers = {}
    for split, rates in errors.items():
        assert rates.top1_error is not None, "every image has a class"
        assert rates.top5_error is not None, "every image has a class"
        numbers[f"{split}_top1_error"] = rates.top1_error
        numbers[f"{split}_top5_error"] = rates.top5_error
    return numbers


def write_table(path: Path, results: Sequence[Result]) -> None:
    """Write ablations.csv: a row for each network measured, the paper's errors beside ours."""
    with path.open("w", encoding="utf-8", newline="") as file:
        columns = ["network", "parameters", *ERRORS, *(f"paper_{name}" for name in ERRORS)]
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        for result in results:
            paper = {f"paper_{name}": value for name, value in result.ablation.paper.items()}
            rounded = {name: round(value, 6) for name, value in result.numbers.items()}
            writer.writerow({"network": result.ablation.name} | rounded | paper)


def write_summary(path: Path, results: Sequence[Result]) -> None:
    """Write ablations.json: the same by network."""
    summary = {
        result.ablation.name: {**result.numbers, "paper": dict(result.ablation.paper)}
        for result in results
    }
    path.write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
