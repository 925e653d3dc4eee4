"""The runs that faults are injected into, and the count of what survived them."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.faults.forks import STAGES, run
from tests.workspaces import write_params, write_photos

TALLY: dict[str, Counter[str]] = {}
"""By kind of fault, how many were tried and how many were lost."""


class Tally:
    """Counts the faults of one kind; a test ends with `settle`."""

    def __init__(self, kind: str) -> None:
        self._count = TALLY.setdefault(kind, Counter())
        self._lost: list[str] = []

    def note(self, survived: bool, what: str) -> None:
        """Count one fault; `what` says which it was and what came of it."""
        self._count["tried"] += 1
        if not survived:
            self._count["lost"] += 1
            self._lost.append(what)

    def settle(self) -> None:
        """Fail with the faults that were not survived."""
        assert not self._lost, "\n".join(["", *self._lost])


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Tally:
    """The count of this test's kind of fault."""
    return Tally(request.node.originalname.removeprefix("test_").replace("_", " "))


@pytest.fixture
def faults(request: pytest.FixtureRequest) -> int:
    """How many faults of each kind to inject."""
    return int(request.config.getoption("--faults"))


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> np.random.Generator:
    """The same draws for a test at every run."""
    return np.random.default_rng(list(request.node.name.encode()))


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny workspace in which every stage has run."""
    folder = tmp_path_factory.mktemp("faults") / "finished"
    folder.mkdir()
    write_photos(folder / "photos", {"cat": (4, 6), "dog": (4, 5)})
    rows = [f"val/dog/photo {n}.jpg,eye,{20 + n},{30 + n}" for n in range(5)]
    (folder / "photos" / "parts.csv").write_text("\n".join(["path,part,row,col", *rows, ""]))
    write_params(
        folder,
        {
            "scan": {"layers": ["conv1", "conv3"], "batch_size": 4},
            "evaluate": {"ten_crops": False},
            "train": {"epochs": 2, "snapshots": [1]},
        },
    )
    for stage in STAGES:
        ended = run(folder, stage)
        assert ended.status == 0, ended.said
    return folder


NETWORK = """
from torch import nn


def build():
    return nn.Sequential(
        nn.Conv2d(3, 4, 5, 2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)
    )
"""


@pytest.fixture(scope="session")
def adopted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny workspace of a network from elsewhere, adopted and read."""
    folder = tmp_path_factory.mktemp("faults") / "adopted"
    write_photos(folder / "photos", {"cat": (2, 2), "dog": (2, 2)})
    (folder / "nets").mkdir()
    (folder / "nets" / "tiny.py").write_text(NETWORK, encoding="utf-8")
    (folder / "names.txt").write_text("cat\ndog\n", encoding="utf-8")
    size = ("--mean", *["0.5"] * 3, "--std", *["0.25"] * 3, "--resize", "40", "--crop", "32")
    given = ("--classes", str(folder / "names.txt"), "--images", str(folder / "photos"))
    for words in (("adopt", "nets.tiny:build", *size, *given), ("prepare",), ("train",)):
        ended = run(folder, *words)
        assert ended.status == 0, ended.said
    return folder


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand the counts of a process among several to the one that prints them."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["faults"] = {kind: dict(n) for kind, n in TALLY.items()}


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over the counts of a process that ends."""
    for kind, count in getattr(node, "workeroutput", {}).get("faults", {}).items():
        TALLY.setdefault(kind, Counter()).update(count)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was tried, survived and lost, by kind."""
    if not TALLY:
        return
    terminalreporter.section("faults")
    for kind, count in sorted(TALLY.items()):
        if not count["tried"]:
            continue
        survived = count["tried"] - count["lost"]
        terminalreporter.line(
            f"{kind}: {count['tried']} tried, {survived} survived, {count['lost']} lost"
        )
