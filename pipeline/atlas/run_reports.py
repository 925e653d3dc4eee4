"""The reports of a run and the tables that belong to them, read as records."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pipeline.storage.error_rates import ErrorRates
from pipeline.storage.history import EpochRecord, read_history
from pipeline.storage.predictions import Prediction, read_predictions
from pipeline.storage.provenance import Provenance
from pipeline.storage.reports import check_table, read_report
from pipeline.storage.training_report import TrainingReport
from pipeline.storage.verification_report import VerificationReport
from pipeline.workspace import Workspace


@dataclass(frozen=True)
class RunReports:
    """The reports of one run, each read when it is asked for.

    Raises AtlasError where one is damaged, or was made from another model, manifest or scan.
    """

    workspace: Workspace
    artifacts: Path
    trained_from: Provenance
    """What training bound its report to."""
    made_from: Provenance
    """The model and the manifest."""
    entries: Callable[[], Provenance]
    """The same with the scan's entries, which need not be read for most reports."""

    def training(self) -> TrainingReport | None:
        """How the network was trained and how far it went; None where nothing says."""
        path, trained_from = self.workspace.report("train.json"), self.trained_from
        return read_report(path, TrainingReport, trained_from)

    def history(self) -> tuple[EpochRecord, ...]:
        """The training history, a record per epoch; empty where there is none."""
        table, report = map(self.workspace.report, ("train_history.csv", "train.json"))
        check_table(table, report, "train", self.trained_from)
        return read_history(table) if table.exists() else ()

    def error_rates(self) -> ErrorRates | None:
        """What `evaluate` measured; None where it has not run."""
        path = self.workspace.report("evaluate.json")
        return read_report(path, ErrorRates, self.made_from)

    def predictions(self) -> dict[int, Prediction]:
        """The network's answer by validation image row; empty where `evaluate` has not run."""
        table = self.artifacts / "predictions.csv"
        check_table(table, self.workspace.report("evaluate.json"), "evaluate", self.made_from)
        return {one.image: one for one in read_predictions(table)} if table.exists() else {}

    def verification(self) -> VerificationReport | None:
        """What `verify` found; None where it has not run."""
        path = self.workspace.report("verify.json")
        return read_report(path, VerificationReport, self.entries())
